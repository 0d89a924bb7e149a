"""From priced rows to rows of CHARGES: keys, texts, column order."""

import datetime as dt

import polars as pl

from billing_pipeline.billing.schema import CHARGES
from billing_pipeline.vocabulary.frames import FrameSchema, required
from billing_pipeline.vocabulary.identifiers import natural_key

CHARGED = FrameSchema(
    name="charged",
    grain="one row per charge, with what discounts ask for",
    columns={
        **CHARGES.columns,
        "period_number": required(pl.Int32, "billing period, from 0, the first that is charged"),
        "counts_as": required(pl.String, "kind of charge; of a discount the kind it reduces"),
    },
)

NO_EVENTS = pl.lit(0, dtype=pl.Int64)
"""Number of rated events behind a charge that no usage made."""

DESCRIPTION = pl.concat_str(["product_name", "label"], separator=", ", ignore_nulls=True)
"""Text of a charge: its product, and the label of its subscription if it has one."""


def charge_rows(
    priced: pl.DataFrame,
    charge_kind: str,
    *,
    key_part: str = "price_key",
    counts_as: pl.Expr | None = None,
) -> pl.DataFrame:
    """Give priced rows their kind and natural key, as CHARGED.

    Shape: row by row; `priced` has every other column of CHARGED. `key_part` is the column that
    stands for the price in the key, `counts_as` the kind where it is not the row's own.
    """
    kind = pl.lit(charge_kind)
    key = natural_key(pl.col("subscription_key"), pl.col(key_part), kind, pl.col("service_from"))
    # Checked once, where CHARGES are handed on: a check of each kind would cost four times more.
    return priced.with_columns(
        charge_kind=kind, charge_key=key, counts_as=kind if counts_as is None else counts_as
    ).select(CHARGED.names)


def billed_by(bill_day: dt.date) -> pl.Expr:
    """Whether a charge may be billed on or before the local day."""
    return pl.col("bill_from") <= pl.lit(bill_day)
