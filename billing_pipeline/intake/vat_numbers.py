"""VAT numbers of accounts: built as their country builds them, and their check digits."""

from importlib import import_module
from importlib.util import find_spec

import polars as pl

from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.vocabulary.problems import Problem, problems_in

_ACCOUNTS, _FIELD = "accounts.csv", "vat_number"
_PREFIXES = {"GR": "EL"}
_STRUCTURES = {
    "AT": r"ATU\d{8}", "BE": r"BE[01]\d{9}", "BG": r"BG\d{9,10}", "CY": r"CY\d{8}[A-Z]",
    "CZ": r"CZ\d{8,10}", "DE": r"DE\d{9}", "DK": r"DK\d{8}", "EE": r"EE\d{9}",
    "ES": r"ES[A-Z0-9]\d{7}[A-Z0-9]", "FI": r"FI\d{8}", "FR": r"FR[A-HJ-NP-Z0-9]{2}\d{9}",
    "GB": r"GB(\d{9}|\d{12}|(GD|HA)\d{3})", "GR": r"EL\d{9}", "HR": r"HR\d{11}", "HU": r"HU\d{8}",
    "IE": r"IE(\d{7}[A-W][A-I]?|\d[A-Z+*]\d{5}[A-W])", "IT": r"IT\d{11}", "LT": r"LT(\d{9}|\d{12})",
    "LU": r"LU\d{8}", "LV": r"LV\d{11}", "MT": r"MT\d{8}", "NL": r"NL[A-Z0-9+*]{10}\d{2}",
    "PL": r"PL\d{10}", "PT": r"PT\d{9}", "RO": r"RO\d{2,10}", "SE": r"SE\d{12}", "SI": r"SI\d{8}",
    "SK": r"SK\d{10}",
}  # fmt: skip
"""By ISO country. Source: European Commission, VIES, frequently asked question 11; GB: HMRC."""


class CheckDigitsUnavailable(Exception):
    """The tenant wants check digits, and the package that knows them is not installed."""


def check_vat_numbers(tenant: Tenant, accounts: pl.DataFrame) -> list[Problem]:
    """Numbers with the prefix of their account's country that cannot be numbers of it.

    Numbers of other countries, or without a prefix, are left to people: they earn no reverse
    charge. That a number is well built does not say that it is registered.
    Shape: ACCOUNTS with ROW. Raises: CheckDigitsUnavailable.
    """
    number = pl.col(_FIELD).str.to_uppercase().str.replace_all(r"[ .\-]", "")
    written = accounts.filter(pl.col(_FIELD).is_not_null()).with_columns(number=number)
    problems: list[Problem] = []
    for country in written["country"].unique().sort():
        if country not in _STRUCTURES:
            continue
        own = pl.col("number").str.starts_with(_PREFIXES.get(country, country))
        of_country = written.filter((pl.col("country") == country) & own)
        is_built = pl.col("number").str.contains(f"^{_STRUCTURES[country]}$")
        message = pl.format("'{}' is not built as numbers of {} are", _FIELD, pl.lit(country))
        problems += problems_in(of_country, _ACCOUNTS, _FIELD, ~is_built, message)
        if tenant.vat_number_check == "digits":
            problems += _wrong_digits(country, of_country.filter(is_built))
    return problems


def _wrong_digits(country: str, numbers: pl.DataFrame) -> list[Problem]:
    if find_spec("stdnum") is None:
        raise CheckDigitsUnavailable(
            "vat_number_check: digits needs the extra `vat`: pip install 'billing-pipeline[vat]', "
            "or say vat_number_check: structure in tenant.yaml"
        )
    known = import_module("stdnum").get_cc_module(country.lower(), "vat")
    distinct = numbers["number"].unique().to_list()
    wrong = [number for number in distinct if known is not None and not known.is_valid(number)]
    message = pl.format("the check digits of '{}' are wrong; a digit is mistyped", _FIELD)
    return problems_in(numbers, _ACCOUNTS, _FIELD, pl.col("number").is_in(wrong), message)
