"""Entries as pairs of one debit and one credit account, for systems that know only such rows."""

import polars as pl
import polars.selectors as cs

_SIDE = ["ledger_account", "role", "product_key", "tax_code", "tax_rate", "upper", "lower"]


def account_pairs(journal: pl.DataFrame) -> pl.DataFrame:
    """Cut every entry into pairs of a debit and a credit account, exact to the minor unit.

    Debits and credits are laid side by side in posting order; each stretch where one debit
    faces one credit is a pair. One debit against n credits gives n pairs.

    Shape: one row per pair with the entry's columns, `amount_minor` > 0, and the columns of
    the two postings suffixed `_debit` and `_credit`.
    """
    amount = pl.col("amount_minor")
    debits = _stretches(journal.filter(amount > 0), amount, "_debit")
    credits_ = _stretches(journal.filter(amount < 0), -amount, "_credit")
    sides = credits_.select("entry_number", "posting_number", cs.ends_with("_credit"))
    overlap = pl.min_horizontal("upper_debit", "upper_credit") - pl.max_horizontal(
        "lower_debit", "lower_credit"
    )
    return (
        debits.join(sides, on="entry_number", how="inner", suffix="_other", validate="m:m")
        .with_columns(amount_minor=overlap)
        .filter(pl.col("amount_minor") > 0)
        .sort("entry_number", "posting_number", "posting_number_other")
        .drop("posting_number", "posting_number_other", cs.starts_with("upper_", "lower_"))
    )


def _stretches(side: pl.DataFrame, amount: pl.Expr, suffix: str) -> pl.DataFrame:
    upper = amount.cum_sum().over("entry_number", order_by="posting_number")
    placed = side.with_columns(upper=upper, lower=upper - amount)
    return placed.rename({name: f"{name}{suffix}" for name in _SIDE}).drop("amount_minor")
