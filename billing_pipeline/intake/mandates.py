"""Direct debit mandates of accounts: whole, collectable, and of an account that can exist."""

import polars as pl

from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.vocabulary.problems import Problem, problems_in

_ACCOUNTS = "accounts.csv"
_IBAN = r"^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$"
_REFERENCE = r"^[A-Za-z0-9+?/:().,' \-]{1,35}$"
_AT_ONCE, _LONGEST, _MODULUS = 7, 70, 97
_LETTERS = {chr(ord("A") + number): str(number + 10) for number in range(26)}


def check_mandates(tenant: Tenant, accounts: pl.DataFrame) -> list[Problem]:
    """What no bank would collect by.

    Sources: SEPA Core Direct Debit Rulebook AT-01 (mandate reference); ISO 13616 (IBAN).
    """
    reference, iban = pl.col("mandate_reference"), pl.col("debited_iban")
    has_mandate = reference.is_not_null()
    creditor = tenant.legal_entity.creditor_identifier
    checks = [
        (
            "debited_iban",
            has_mandate != iban.is_not_null(),
            "a mandate has a reference and the account it debits: give both or none",
        ),
        (
            "mandate_reference",
            has_mandate & (pl.col("payment_method") != "direct_debit").fill_null(value=True),
            "an account with a mandate pays by direct_debit: say so in payment_method",
        ),
        (
            "mandate_reference",
            ~reference.str.contains(_REFERENCE),
            "a mandate reference has up to 35 letters, digits, blanks and + ? / : ( ) . , ' -",
        ),
        (
            "debited_iban",
            iban.is_not_null() & ~is_iban(plain_iban(iban)),
            "this is no IBAN: its check digits are wrong or a character is missing",
        ),
        (
            "mandate_reference",
            has_mandate & pl.lit(creditor is None),
            "mandates are collected for legal_entity.creditor_identifier: add it to tenant.yaml",
        ),
    ]
    return [
        problem
        for column, is_wrong, message in checks
        for problem in problems_in(
            accounts, _ACCOUNTS, column, is_wrong.fill_null(value=False), pl.lit(message)
        )
    ]


def plain_iban(iban: pl.Expr) -> pl.Expr:
    """An IBAN without the blanks people write it with, in capitals."""
    return iban.str.replace_all(" ", "", literal=True).str.to_uppercase()


def is_iban(iban: pl.Expr) -> pl.Expr:
    """Whether check digits are right: moved to the end, letters as numbers, it leaves 1 of 97."""
    moved = pl.concat_str(iban.str.slice(4), iban.str.head(4))
    digits = moved.str.replace_many(_LETTERS)
    rest = pl.lit("")
    for start in range(0, _LONGEST, _AT_ONCE):
        number = pl.concat_str(rest, digits.str.slice(start, _AT_ONCE))
        rest = (number.cast(pl.Int64, strict=False) % _MODULUS).cast(pl.String)
    return iban.str.contains(_IBAN) & (rest == "1").fill_null(value=False)
