"""Expressions that write journal values as text the way import files want them."""

from collections.abc import Iterable

import polars as pl

from billing_pipeline.accounting.chart import tax_key
from billing_pipeline.accounting.handoff.format import refuse
from billing_pipeline.customers.tenant import HandoffMapping
from billing_pipeline.vocabulary.money import minor_exponent


def decimal_text(amount_minor: pl.Expr, currencies: Iterable[str], point: str = ".") -> pl.Expr:
    """Exact decimal text of minor units, with the decimals of the row's `currency`.

    Shape: row by row; the frame must have a column `currency` with only these `currencies`.
    """
    decimals = {code: minor_exponent(code) for code in currencies}
    exponent = pl.col("currency").replace_strict(decimals, return_dtype=pl.Int64)
    digits = amount_minor.abs().cast(pl.String).str.zfill(exponent + 1)
    whole = digits.str.head(digits.str.len_chars() - exponent)
    sign = pl.when(amount_minor < 0).then(pl.lit("-")).otherwise(pl.lit(""))
    fraction = (
        pl.when(exponent > 0)
        .then(pl.concat_str(pl.lit(point), digits.str.tail(exponent)))
        .otherwise(pl.lit(""))
    )
    return pl.concat_str(sign, whole, fraction)


def debit_text(currencies: Iterable[str]) -> pl.Expr:
    """Positive decimal text of a debit; null on a credit row."""
    amount = pl.col("amount_minor")
    return pl.when(amount > 0).then(decimal_text(amount, currencies))


def credit_text(currencies: Iterable[str]) -> pl.Expr:
    """Positive decimal text of a credit; null on a debit row."""
    amount = pl.col("amount_minor")
    return pl.when(amount < 0).then(decimal_text(-amount, currencies))


def mapped_account(mapping: HandoffMapping) -> pl.Expr:
    """The target system's name of the ledger account; the same name if none is declared."""
    account = pl.col("ledger_account")
    return account.replace_strict(mapping.ledger_accounts, default=account, return_dtype=pl.String)


def mapped_customer(mapping: HandoffMapping) -> pl.Expr:
    """The target system's name of the customer; the account key if none is declared."""
    account = pl.col("account_key")
    return account.replace_strict(mapping.customers, default=account, return_dtype=pl.String)


def mapped_tax(mapping: HandoffMapping) -> pl.Expr:
    """The target system's tax code of a row; null where there is no tax or no code for it."""
    return tax_key().replace_strict(mapping.tax_codes, default=None, return_dtype=pl.String)


def decimal_value(amount_minor: pl.Expr, currencies: Iterable[str]) -> pl.Expr:
    """Exact decimal of minor units, for targets that take numbers and not text."""
    return decimal_text(amount_minor, currencies).cast(pl.Decimal(38, 3))


def refuse_other_currencies(journal: pl.DataFrame, currency: str, format_name: str) -> None:
    """Stop at entries in a currency the target file has no room for.

    Raises: MappingRefused naming the entries.
    """
    refuse(
        journal,
        pl.col("currency") != currency,
        f"{format_name} files hold one currency, here {currency}: post other currencies "
        "through another format or convert them first.",
    )
