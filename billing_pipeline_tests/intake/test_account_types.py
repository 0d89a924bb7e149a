"""What account types ask of accounts, and the terms they bring."""

from pathlib import Path

import pytest

from billing_pipeline.intake.tenant_folder import read_tenant_folder
from billing_pipeline.vocabulary.problems import ConfigurationRefused
from billing_pipeline_tests.intake.small_tenant import mistakes_after, write_small_tenant


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two accounts of type business, one with terms of its own; a plan billed by the month."""
    return write_small_tenant(tmp_path)


def declare(folder: Path, types: str) -> None:
    mistakes_after(folder, "tenant.yaml", "locale: de_DE", f"locale: de_DE\naccount_types: {types}")


def pay_by(folder: Path, method: str) -> None:
    """Give every account a way to pay."""
    file = folder / "accounts.csv"
    header, *rows = file.read_text().splitlines()
    typed = [f"{header},payment_method", *(f"{row},{method}" for row in rows)]
    file.write_text("\n".join(typed) + "\n")


def refused(folder: Path) -> list[str]:
    with pytest.raises(ConfigurationRefused) as refusal:
        read_tenant_folder(folder)
    return [str(problem) for problem in refusal.value.problems]


def test_a_type_brings_its_terms_to_accounts_without_their_own(folder: Path) -> None:
    declare(folder, "[{key: business, payment_terms_days: 45, cycles: [month]}]")

    assert read_tenant_folder(folder).accounts["payment_terms_days"].to_list() == [45, 30]


@pytest.mark.parametrize(
    ("types", "first"),
    [
        (
            "[{key: private, kind: individual}]",
            "accounts.csv row 2 field account_type: 'business' is none of private",
        ),
        (
            "[{key: business, required: [email]}]",
            "accounts.csv row 2 field email: is empty; every account of type business needs one",
        ),
        (
            "[{key: business, cycles: [quarter, year]}]",
            "subscriptions.csv row 2 field plan_key: plan basic is not billed by quarter or year",
        ),
        (
            "[{key: business, payment_methods: [direct_debit]}]",
            "accounts of type business pay by direct_debit, not by card",
        ),
        (
            "[{key: business}, {key: business}]",
            "two account types have the same key",
        ),
    ],
)
def test_what_a_type_asks_is_asked_row_by_row(folder: Path, types: str, first: str) -> None:
    declare(folder, types)
    pay_by(folder, "card")

    assert first in refused(folder)[0]


@pytest.mark.parametrize(
    ("types", "method", "paid_by"),
    [
        ("[{key: business, payment_methods: [direct_debit, card]}]", "", "direct_debit"),
        ("[{key: business, payment_methods: [direct_debit, card]}]", "card", "card"),
        ("[{key: business}]", "", None),
    ],
)
def test_an_account_pays_as_it_says_or_by_the_first_way_of_its_type(
    folder: Path, types: str, method: str, paid_by: str | None
) -> None:
    declare(folder, types)
    pay_by(folder, method)

    assert set(read_tenant_folder(folder).accounts["payment_method"]) == {paid_by}


CREDITOR = "DE98ZZZ09999999999"
MANDATES = "payment_method,mandate_reference,debited_iban"


def sign(folder: Path, *mandates: str, creditor: str = CREDITOR) -> None:
    """Give every account its mandate, the tenant a creditor identifier."""
    file = folder / "accounts.csv"
    header, *rows = file.read_text().splitlines()
    signed = [f"{row},{mandate}" for row, mandate in zip(rows, mandates, strict=True)]
    file.write_text("\n".join([f"{header},{MANDATES}", *signed]) + "\n")
    if creditor:
        named = f"legal_entity:\n  creditor_identifier: {creditor}"
        mistakes_after(folder, "tenant.yaml", "legal_entity:", named)


def test_a_mandate_is_kept_with_the_account_it_debits(folder: Path) -> None:
    sign(folder, "direct_debit,M-1,DE02 1203 0000 0000 2020 51", "direct_debit,,")

    accounts = read_tenant_folder(folder).accounts

    assert accounts.select("mandate_reference", "debited_iban").rows() == [
        ("M-1", "DE02 1203 0000 0000 2020 51"),
        (None, None),
    ]


def test_a_creditor_is_kept_without_blanks_and_checked_without_his_business_code(
    folder: Path,
) -> None:
    sign(folder, "direct_debit,,", "direct_debit,,", creditor="de98 abc 0999 9999 999")
    assert read_tenant_folder(folder).tenant.legal_entity.creditor_identifier == (
        "DE98ABC09999999999"
    )
    for wrong in ("DE97ZZZ09999999999", "DE98ZZZ0999", "ZZZ"):
        named = f"creditor_identifier: {wrong} #"
        mistakes_after(folder, "tenant.yaml", "creditor_identifier:", named)
        assert f"{wrong!r} is no creditor identifier" in refused(folder)[0]


@pytest.mark.parametrize(
    ("mandate", "creditor", "first"),
    [
        (
            "direct_debit,M-1,",
            CREDITOR,
            "field debited_iban: a mandate has a reference and the account",
        ),
        (
            "card,M-1,DE02120300000000202051",
            CREDITOR,
            "pays by direct_debit: say so in payment_method",
        ),
        ("direct_debit,M#1,DE02120300000000202051", CREDITOR, "up to 35 letters, digits, blanks"),
        (
            "direct_debit,M-1,DE03120300000000202051",
            CREDITOR,
            "field debited_iban: this is no IBAN",
        ),
        ("direct_debit,M-1,GB82WEST1234569876543", CREDITOR, "field debited_iban: this is no IBAN"),
        ("direct_debit,M-1,DE02120300000000202051", "", "legal_entity.creditor_identifier"),
    ],
)
def test_a_mandate_no_bank_would_collect_by_is_refused(
    folder: Path, mandate: str, creditor: str, first: str
) -> None:
    sign(folder, mandate, "direct_debit,,", creditor=creditor)

    assert "accounts.csv row 2" in refused(folder)[0]
    assert first in refused(folder)[0]


@pytest.mark.parametrize("iban", ["GB82WEST12345698765432", "NO9386011117947"])
def test_ibans_of_other_countries_are_known(folder: Path, iban: str) -> None:
    sign(folder, f"direct_debit,M-1,{iban}", "direct_debit,,")

    assert read_tenant_folder(folder).accounts["debited_iban"].to_list() == [iban, None]


def test_a_way_to_pay_that_nobody_knows_is_refused(folder: Path) -> None:
    pay_by(folder, "cheque")

    assert "'cheque' is none of bank_transfer, direct_debit, card" in refused(folder)[0]
