"""The tax of a document in the currency the seller accounts it in (EN 16931 BT-6, BT-111)."""

import datetime as dt
from collections.abc import Sequence

import polars as pl

from billing_pipeline.catalog.fx_rates import FxRate, rate_on
from billing_pipeline.vocabulary.money import AMOUNT, exact_product, minor_exponent, to_minor_units

_RATES: dict[str, type[pl.DataType] | pl.DataType] = {
    "currency": pl.String,
    "fx_rate": AMOUNT,
    "fx_date": pl.Date,
    "fx_source": pl.String,
}


def known_rates(
    currencies: Sequence[str], tax_currency: str | None, rates: Sequence[FxRate], day: dt.date
) -> pl.DataFrame:
    """The rate of each of `currencies` on `day`, where the tax is to be converted and one is known.

    Shape: one row per currency with a rate; empty where nothing is to be converted.
    """
    rows = [
        (currency, rate.rate, rate.valid_from, rate.source)
        for currency in currencies
        if tax_currency is not None and currency != tax_currency
        if (rate := rate_on(rates, currency, tax_currency, day)) is not None
    ]
    return pl.DataFrame(rows, schema=_RATES, orient="row")


def lacks_rate(tax_currency: str | None, rates: pl.DataFrame) -> pl.Expr:
    """Whether a line's tax would have to be converted with a rate nobody gave."""
    if tax_currency is None:
        return pl.lit(value=False)
    is_foreign = pl.col("currency") != tax_currency
    return is_foreign & pl.col("currency").is_in(rates["currency"].implode()).not_()


def in_tax_currency(
    documents: pl.DataFrame, tax_currency: str | None, rates: pl.DataFrame
) -> pl.DataFrame:
    """Convert each document's tax once; store rate, day, source and both amounts.

    Shape: same rows; `tax_currency`, `tax_currency_minor`, `fx_rate`, `fx_date`, `fx_source` are
    null where the document is in the tax currency.
    """
    joined = documents.join(rates, on="currency", how="left", validate="m:1")
    exponents = {
        currency: minor_exponent(currency) for currency in joined["currency"].unique().to_list()
    }
    in_major = exact_product(
        pl.col("tax_minor").cast(AMOUNT),
        over=pl.col("currency")
        .replace_strict({name: 10**digits for name, digits in exponents.items()}, default=1)
        .cast(AMOUNT),
    )
    converted = exact_product(in_major, pl.col("fx_rate"))
    is_converted = pl.col("fx_rate").is_not_null()
    return joined.with_columns(
        tax_currency=pl.when(is_converted).then(pl.lit(tax_currency, pl.String)),
        tax_currency_minor=pl.when(is_converted).then(
            to_minor_units(converted, pl.lit(tax_currency or "EUR"))
        ),
    )
