"""The file people and banks hand over for money received: `payments.csv`."""

from pathlib import Path

import polars as pl

from billing_pipeline.receivables.schema import PAYMENTS
from billing_pipeline.vocabulary.money import minor_exponent

_NEEDED = ["payment_key", "account_key", "received_on", "amount"]
_COLUMNS = [*_NEEDED, "kind", "currency", "invoice_number", "reference"]
_AMOUNT = r"^[0-9]+(\.[0-9]+)?$"


class PaymentsRefused(Exception):
    """A payments file with mistakes, each with its row; nothing of it was recorded."""


def read_payments(path: Path, accounts: pl.DataFrame) -> pl.DataFrame:
    """A payments file as PAYMENTS.

    `kind` is `payment` (as if the column were missing) or `write_off`, whose `reference` is the
    reason; `currency` is the account's unless given; `invoice_number` may be empty.
    Raises: PaymentsRefused that names every row and what to mend.
    """
    try:
        raw = pl.read_csv(path, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError, UnicodeDecodeError) as error:
        raise PaymentsRefused(f"{path}: cannot be read as CSV: {error}") from None
    missing = [name for name in _NEEDED if name not in raw.columns]
    if missing:
        raise PaymentsRefused(f"{path}: the columns {', '.join(missing)} are missing")
    known = [name for name in _COLUMNS if name in raw.columns]
    text = pl.concat(
        [pl.DataFrame(schema=dict.fromkeys(_COLUMNS, pl.String)), raw.select(known)], how="diagonal"
    )
    filled = _filled_in(text, accounts)
    _refuse_mistakes(path, filled)
    return PAYMENTS.conform(
        filled.with_columns(amount_minor=pl.col("exact").cast(pl.Int64)).select(PAYMENTS.names)
    )


def _filled_in(text: pl.DataFrame, accounts: pl.DataFrame) -> pl.DataFrame:
    clean = text.select(pl.all().str.strip_chars().replace("", None)).with_row_index(
        "row", offset=2
    )
    own = accounts.select("account_key", own_currency="currency")
    joined = clean.join(own, on="account_key", how="left", validate="m:1", maintain_order="left")
    currency = pl.coalesce("currency", "own_currency")
    currencies = joined.select(currency.unique().drop_nulls()).to_series().to_list()
    shift = currency.replace_strict(
        {code: 10 ** minor_exponent(code) for code in currencies},
        default=None,
        return_dtype=pl.Int64,
    )
    amount = pl.when(pl.col("amount").str.contains(_AMOUNT)).then("amount")
    return joined.with_columns(
        kind=pl.col("kind").fill_null("payment"),
        currency=currency,
        received_on=pl.col("received_on").str.to_date("%Y-%m-%d", strict=False),
        reference=pl.col("reference").fill_null(""),
        exact=amount.cast(pl.Decimal(38, 10), strict=False) * shift.cast(pl.Decimal(38, 0)),
    )


def _refuse_mistakes(path: Path, rows: pl.DataFrame) -> None:
    is_whole = pl.col("exact") == pl.col("exact").cast(pl.Int64, strict=False)
    wrong = (
        pl.when(pl.col("payment_key").is_null())
        .then(pl.lit("payment_key is empty"))
        .when(pl.col("payment_key").is_duplicated())
        .then(pl.lit("payment_key stands in the file twice"))
        .when(pl.col("own_currency").is_null())
        .then(pl.format("there is no account {}", pl.col("account_key").fill_null("''")))
        .when(pl.col("received_on").is_null())
        .then(pl.lit("received_on is not a day such as 2026-02-27"))
        .when(pl.col("exact").is_null() | ~is_whole | (pl.col("exact") <= 0))
        .then(pl.lit("amount is not a sum above zero such as 119.00 in its currency's units"))
        .when(~pl.col("kind").is_in(["payment", "write_off"]))
        .then(pl.lit("kind is neither payment nor write_off"))
        .when((pl.col("kind") == "write_off") & (pl.col("reference") == ""))
        .then(pl.lit("a write_off needs its reason in the column reference"))
    )
    mistakes = rows.select("row", wrong=wrong).filter(pl.col("wrong").is_not_null())
    if not mistakes.is_empty():
        said = "\n".join(f"{path}, row {row}: {words}" for row, words in mistakes.head(20).rows())
        raise PaymentsRefused(f"{said}\nNothing was recorded: {mistakes.height} row(s) to mend.")
