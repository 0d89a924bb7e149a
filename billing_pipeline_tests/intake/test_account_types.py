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


def test_a_way_to_pay_that_nobody_knows_is_refused(folder: Path) -> None:
    pay_by(folder, "cheque")

    assert "'cheque' is none of bank_transfer, direct_debit, card" in refused(folder)[0]
