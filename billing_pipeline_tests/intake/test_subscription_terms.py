"""What changes about subscriptions: three CSV files, their mistakes, the days they hold from."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from billing_pipeline.intake.tenant_folder import read_tenant_folder
from billing_pipeline.intake.write_folder import write_tenant_folder
from billing_pipeline.vocabulary.problems import ConfigurationRefused
from billing_pipeline_tests.intake.small_tenant import write_small_tenant

CHANGES = "subscription_key,effective_on,takes_effect,plan_key,quantity,status\n"
DISCOUNTS = "subscription_key,discount_key,valid_from,valid_until\n"
PRICES = "subscription_key,price_key,amount,valid_from,valid_until,takes_effect\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_small_tenant(tmp_path)


def mistakes(folder: Path, file: str, text: str) -> list[str]:
    (folder / file).write_text(text)
    with pytest.raises(ConfigurationRefused) as refused:
        read_tenant_folder(folder)
    return [str(problem) for problem in refused.value.problems]


@pytest.mark.parametrize(
    ("file", "row", "says"),
    [
        ("subscription_changes.csv", "S-9,2026-03-01,,,2,", "no subscription 'S-9'"),
        ("subscription_changes.csv", "S-1,2026-03-01,,gold,,", "no plan 'gold'"),
        ("subscription_changes.csv", "S-1,2026-03-01,,,,paused", "'paused' is not one of"),
        ("subscription_changes.csv", "S-1,2026-03-01,later,,2,", "'later' is not one of"),
        ("subscription_changes.csv", "S-1,2026-03-01,,,,", "nothing changes"),
        ("subscription_changes.csv", "S-1,2026-03-01,,,-1,", "is below zero"),
        ("subscription_changes.csv", "S-1,01.03.2026,,,2,", "is not a date"),
        (
            "subscription_changes.csv",
            "S-1,2026-03-01,,,2,\nS-1,2026-03-01,,,3,",
            "row 2 changes it on this day already",
        ),
        ("subscription_discounts.csv", "S-1,gift,,", "no discount 'gift'"),
        ("subscription_discounts.csv", "S-1,ten,2026-03-01,2026-03-01", "must be after valid_from"),
        (
            "subscription_discounts.csv",
            "S-1,ten,2026-03-01,\nS-1,ten,2026-04-01,",
            "row 2 holds at the same time",
        ),
        ("agreed_prices.csv", "S-1,minutes,1,,,", "no flat price 'minutes'"),
        ("agreed_prices.csv", "S-1,monthly,-1,,,", "is below zero"),
        (
            "agreed_prices.csv",
            "S-1,monthly,1,,,soon",
            "'soon' is not one of on_the_day, period_end",
        ),
        ("agreed_prices.csv", "S-1,monthly,1,,2026-09-01,period_end", "end it by a row of its own"),
        (
            "agreed_prices.csv",
            "S-1,monthly,1,2026-03-01,,\nS-1,monthly,2,2026-04-01,,",
            "row 2 holds at the same time",
        ),
    ],
)
def test_a_mistake_names_file_row_and_what_to_do(
    folder: Path, file: str, row: str, says: str
) -> None:
    header = {"subscription_changes.csv": CHANGES, "agreed_prices.csv": PRICES}.get(file, DISCOUNTS)

    found = mistakes(folder, file, f"{header}{row}\n")

    assert len(found) == 1
    assert found[0].startswith(f"{file} row ")
    assert says in found[0]


def test_a_change_at_period_end_holds_from_the_next_boundary(folder: Path) -> None:
    """The account was opened on 31 January: the period of 5 April ends on the 30th."""
    (folder / "subscription_changes.csv").write_text(
        f"{CHANGES}S-1,2026-04-05,period_end,,4,\nS-1,2026-04-10,on_the_day,,2,\n"
    )

    changes = read_tenant_folder(folder).terms.changes

    assert changes.select("effective_on", "quantity").rows() == [
        (dt.date(2026, 4, 10), Decimal(2)),
        (dt.date(2026, 4, 30), Decimal(4)),
    ]


MARCH, TURN, MAY, JUNE = (
    dt.date(2026, 3, 1), dt.date(2026, 4, 30), dt.date(2026, 5, 15), dt.date(2026, 6, 1)
)  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "held"),
    [
        pytest.param(
            ["18,2026-03-01,,", "17,2026-04-05,,period_end", "16,2026-04-05,,period_end"],
            [(18, MARCH, TURN), (16, TURN, None)],
            id="of two rows of one turn the later holds",
        ),
        pytest.param(
            ["18,2026-03-01,2026-06-01,", "17,2026-04-05,,period_end"],
            [(18, MARCH, TURN), (17, TURN, None)],
            id="an end that was agreed is cut",
        ),
        pytest.param(
            ["17,2026-04-05,,period_end", "16,2026-05-15,2026-06-01,"],
            [(17, TURN, MAY), (16, MAY, JUNE)],
            id="the next one ends one that waited",
        ),
    ],
)
def test_an_agreed_price_at_period_end_ends_the_one_before(
    folder: Path, rows: list[str], held: list[tuple[int, dt.date, dt.date | None]]
) -> None:
    """The account was opened on 31 January: the period of 5 April ends on the 30th."""
    lines = "".join(f"S-1,monthly,{row}\n" for row in rows)
    (folder / "agreed_prices.csv").write_text(f"{PRICES}{lines}")

    agreed = read_tenant_folder(folder).terms.agreed_prices

    assert agreed.select("amount", "valid_from", "valid_until").rows() == held


def test_terms_that_are_written_back_are_read_the_same(folder: Path, tmp_path: Path) -> None:
    (folder / "subscription_changes.csv").write_text(
        f"{CHANGES}S-1,2026-04-05,period_end,,4,\nS-1,2026-06-10,,,,cancelled\n"
    )
    (folder / "subscription_discounts.csv").write_text(f"{DISCOUNTS}S-1,ten,,2026-09-01\n")
    (folder / "agreed_prices.csv").write_text(
        f"{PRICES}S-1,monthly,17.50,2026-05-01,,\nS-1,monthly,16,2026-07-05,,period_end\n"
    )
    read = read_tenant_folder(folder)
    tables = {
        "accounts": read.accounts,
        "subscriptions": read.subscriptions,
        "service_identifiers": read.service_identifiers,
        "subscription_changes": read.terms.changes,
        "subscription_discounts": read.terms.discounts,
        "agreed_prices": read.terms.agreed_prices,
        "rate_card_prices": read.rate_card_prices,
    }
    written = tmp_path / "again" / folder.name

    write_tenant_folder(written, read.tenant, read.catalog, read.feeds, tables)

    again = read_tenant_folder(written)
    assert again.terms.changes.equals(read.terms.changes)
    assert again.terms.discounts.equals(read.terms.discounts)
    assert again.terms.agreed_prices.equals(read.terms.agreed_prices)


def test_a_fee_agreed_in_both_files_for_the_same_days_is_refused(folder: Path) -> None:
    (folder / "prices.yaml").write_text(
        "prices:\n"
        "  - {key: ours, subscription: S-1, instead_of: monthly, terms: {amount: 3},"
        " valid_until: 2026-05-01}\n"
    )
    row = "S-1,monthly,17.50,2026-04-30,,\n"

    found = mistakes(folder, "agreed_prices.csv", f"{PRICES}{row}")

    says = (
        "agreed_prices.csv row 2 field price_key: prices.yaml agrees 'ours' with this "
        "subscription for the same days; write it in one of them"
    )
    assert found == [says]
    (folder / "agreed_prices.csv").write_text(f"{PRICES}S-1,monthly,17.50,2026-05-01,,\n")
    assert read_tenant_folder(folder).terms.agreed_prices.height == 1
