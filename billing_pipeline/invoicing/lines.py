"""Lines: which ones a document shows, and in which order."""

from collections.abc import Sequence

import polars as pl

_KIND_ORDER = ["recurring", "one_time", "usage", "minimum", "discount"]


def worth_printing(lines: pl.DataFrame, document: Sequence[str]) -> pl.DataFrame:
    """Leave out corrections that do not reach a minor unit, and documents without any money.

    A new charge of zero stays beside others: it shows usage that included units have paid. What
    is left out here is not posted, so it comes again and is issued once it amounts to something.
    """
    has_money = (pl.col("net_minor") != 0).any().over(document)
    is_new = pl.col("posting_number") == 1
    return lines.filter(has_money & (is_new | (pl.col("net_minor") != 0)))


def in_printing_order(lines: pl.DataFrame) -> pl.DataFrame:
    """Number the lines of each document from 1.

    Order: the payer's own lines, then sub-accounts; inside an account by subscription, then
    what was agreed (recurring, one-time), what was used, and what brings it down.
    """
    kind = pl.col("charge_kind").replace_strict(
        {name: order for order, name in enumerate(_KIND_ORDER)},
        default=len(_KIND_ORDER),
        return_dtype=pl.Int64,
    )
    return lines.sort(
        pl.col("invoice_key"),
        pl.col("account_key") != pl.col("payer_key"),
        pl.col("account_key"),
        pl.col("subscription_key"),
        kind,
        pl.col("service_from"),
        pl.col("description"),
        pl.col("charge_key"),
        pl.col("posting_number"),
        nulls_last=True,
    ).with_columns(line_number=pl.int_range(1, pl.len() + 1, dtype=pl.Int64).over("invoice_key"))
