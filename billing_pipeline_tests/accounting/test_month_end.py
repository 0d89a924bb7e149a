"""A month's end worked by hand: close, accrue, reverse, late usage, correction."""

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_pipeline.accounting.journal import Journal, merged, numbered_journal, reversal_of
from billing_pipeline.accounting.month_end import (
    accrual_of_supplier_cost,
    accrual_of_unbilled_revenue,
    earned_minor,
    release_of_deferred_revenue,
)
from billing_pipeline.accounting.payments import journal_for_payments
from billing_pipeline.accounting.posting_rules import (
    journal_for_documents,
    journal_for_intercompany,
)
from billing_pipeline.accounting.schema import JOURNAL
from billing_pipeline.customers.tenant import LedgerAccounts, LedgerRule
from billing_pipeline_tests.accounting.builders import (
    ACCOUNTS,
    Document,
    invoices_frame,
    lines_frame,
    taxes_frame,
    tenant,
    write_off,
)

CHART = LedgerAccounts(
    receivable="1100",
    revenue="4000",
    tax="2200",
    by_role={
        "deferred_revenue": "2109",
        "accrued_revenue": "1109",
        "discount": "4009",
        "write_off": "8100",
        "supplier_cost": "5000",
        "supplier_accrual": "2105",
        "intercompany_receivable": "1200",
        "intercompany_revenue": "4500",
        "intercompany_cost": "5500",
        "intercompany_payable": "2300",
    },
)
OWNER = tenant(ledger_accounts=CHART)
JANUARY, FEBRUARY = dt.date(2026, 1, 31), dt.date(2026, 2, 28)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(f"2026-{text}")


def lines_of(document: Document, *services: tuple[str, str, str]) -> pl.DataFrame:
    """The document's lines with (charge kind, service from, service until) each."""
    return lines_frame([document]).with_columns(
        pl.Series("charge_kind", [kind for kind, _, _ in services]),
        pl.Series("service_from", [day(start) for _, start, _ in services]),
        pl.Series("service_until", [day(end) for _, _, end in services]),
        invoice_number=pl.lit(document.number),
    )


def booked(document: Document, lines: pl.DataFrame) -> Journal:
    return journal_for_documents(invoices_frame([document]), lines, taxes_frame([document]), OWNER)


def by_role(journal: Journal) -> dict[str, int]:
    return dict(journal.postings.group_by("role").agg(pl.col("amount_minor").sum()).rows())


# 31.00 for 31 days from 16 January: January earns 16 days, February 15.
IN_ADVANCE = Document("INV-1", [("subscription", 3100)], bill_day=day("01-16"))
IN_ADVANCE_LINES = lines_of(IN_ADVANCE, ("recurring", "01-16", "02-16"))


def test_a_charge_in_advance_waits_in_deferred_revenue() -> None:
    assert by_role(booked(IN_ADVANCE, IN_ADVANCE_LINES)) == {
        "receivable": 3100,
        "deferred_revenue": -3100,
    }


@pytest.mark.parametrize(
    "until", [pytest.param("01-16", id="arrears"), pytest.param("01-17", id="today")]
)
def test_service_that_ended_by_the_bill_day_is_revenue_at_once(until: str) -> None:
    lines = lines_of(IN_ADVANCE, ("recurring", "01-01", until))

    assert by_role(booked(IN_ADVANCE, lines)) == {"receivable": 3100, "revenue": -3100}


def test_a_penalty_for_an_early_end_is_earned_at_once_though_its_days_reach_on() -> None:
    """135.00 beside a fee in advance, under the same product: only the fee waits."""
    document = Document(
        "INV-1", [("subscription", 3100), ("subscription", 13500)], bill_day=day("01-16")
    )
    lines = lines_of(document, ("recurring", "01-16", "02-16"), ("termination", "01-16", "12-01"))
    invoice = booked(document, lines)

    january = release_of_deferred_revenue(lines, numbered_journal(invoice, 1), JANUARY, OWNER)

    assert by_role(invoice) == {"receivable": 16600, "deferred_revenue": -3100, "revenue": -13500}
    assert by_role(january) == {"deferred_revenue": 1600, "revenue": -1600}


def test_without_a_deferral_account_nothing_is_deferred() -> None:
    journal = journal_for_documents(
        invoices_frame([IN_ADVANCE]), IN_ADVANCE_LINES, taxes_frame([]), tenant()
    )

    assert by_role(journal) == {"receivable": 3100, "revenue": -3100}


def test_each_month_releases_its_days() -> None:
    invoice = booked(IN_ADVANCE, IN_ADVANCE_LINES)
    january = release_of_deferred_revenue(
        IN_ADVANCE_LINES, numbered_journal(invoice, 1), JANUARY, OWNER
    )
    so_far = numbered_journal(merged([invoice, january]), 1)
    february = release_of_deferred_revenue(IN_ADVANCE_LINES, so_far, FEBRUARY, OWNER)

    assert by_role(january) == {"deferred_revenue": 1600, "revenue": -1600}
    assert by_role(february) == {"deferred_revenue": 1500, "revenue": -1500}
    assert january.entries.row(0, named=True)["narration"] == "Revenue earned in 2026-01"
    assert january.entries.item(0, "entry_key") == "revenue_release/2026-01/GBP"


def test_a_month_run_again_releases_nothing() -> None:
    invoice = booked(IN_ADVANCE, IN_ADVANCE_LINES)
    journal = numbered_journal(invoice, 1)
    january = release_of_deferred_revenue(IN_ADVANCE_LINES, journal, JANUARY, OWNER)
    so_far = numbered_journal(merged([invoice, january]), 1)

    again = release_of_deferred_revenue(IN_ADVANCE_LINES, so_far, JANUARY, OWNER)

    assert again.entries.is_empty()


def test_a_month_that_was_skipped_is_released_with_the_next() -> None:
    journal = numbered_journal(booked(IN_ADVANCE, IN_ADVANCE_LINES), 1)

    both = release_of_deferred_revenue(IN_ADVANCE_LINES, journal, FEBRUARY, OWNER)

    assert by_role(both) == {"deferred_revenue": 3100, "revenue": -3100}


def test_a_credit_for_unused_days_is_deferred_and_cancels_the_release() -> None:
    # Cancelled on 1 February: 15 days of February, 15.00, are given back on the 5th.
    credit = Document("CN-1", [("subscription", -1500)], kind="credit_note", bill_day=day("02-05"))
    credit_lines = lines_of(credit, ("recurring", "02-01", "02-16"))
    invoice = booked(IN_ADVANCE, IN_ADVANCE_LINES)
    january = release_of_deferred_revenue(
        IN_ADVANCE_LINES, numbered_journal(invoice, 1), JANUARY, OWNER
    )
    so_far = numbered_journal(merged([invoice, january, booked(credit, credit_lines)]), 1)

    february = release_of_deferred_revenue(
        pl.concat([IN_ADVANCE_LINES, credit_lines]), so_far, FEBRUARY, OWNER
    )

    # Deferred: 31.00 - 16.00 - 15.00 = 0; nothing of February was earned.
    assert february.entries.is_empty()
    deferred = so_far.filter(pl.col("role") == "deferred_revenue")
    assert deferred.get_column("amount_minor").sum() == 0


def test_discounts_stand_apart_from_revenue_when_earned_at_once_and_when_released() -> None:
    document = Document(
        "INV-1", [("subscription", 3100), ("subscription", -310)], bill_day=day("01-16")
    )
    lines = lines_of(document, ("recurring", "01-16", "02-16"), ("discount", "01-16", "02-16"))
    invoice = booked(document, lines)

    january = release_of_deferred_revenue(lines, numbered_journal(invoice, 1), JANUARY, OWNER)

    assert by_role(invoice) == {"receivable": 2790, "deferred_revenue": -2790}
    assert by_role(january) == {"deferred_revenue": 1440, "revenue": -1600, "discount": 160}


def test_unbilled_revenue_is_accrued_and_reversed_the_next_day() -> None:
    # 7.50 of calls in January; 31.00 for 16 January to 15 February, of which January earns 16.00.
    draft = Document("draft", [("calls", 750), ("subscription", 3100)])
    lines = lines_of(draft, ("usage", "01-16", "02-16"), ("recurring", "01-16", "02-16"))

    accrual = accrual_of_unbilled_revenue(lines, JANUARY, OWNER)
    reversal = reversal_of(accrual, day("02-01"))

    assert by_role(accrual) == {"accrued_revenue": 2350, "revenue": -2350}
    assert by_role(merged([accrual, reversal])) == {"accrued_revenue": 0, "revenue": 0}
    entry = reversal.entries.row(0, named=True)
    assert (entry["booked_date"], entry["reverses"]) == (
        day("02-01"),
        "revenue_accrual/2026-01/GBP",
    )


def test_supplier_cost_is_accrued_from_rated_cost_rounded_once() -> None:
    rated = pl.DataFrame(
        {
            "product_key": ["calls", "calls", "calls"],
            "currency": "GBP",
            "cost_amount": [Decimal("0.0033"), Decimal("0.0033"), None],
        },
        schema_overrides={"cost_amount": pl.Decimal(38, 10)},
    )

    # 0.0033 + 0.0033 = 0.0066: one penny; each alone would have been nothing.
    assert by_role(accrual_of_supplier_cost(rated.lazy(), JANUARY, OWNER)) == {
        "supplier_cost": 1,
        "supplier_accrual": -1,
    }


def test_a_written_off_item_leaves_the_receivable() -> None:
    given_up = journal_for_payments(write_off(day("12-31")), OWNER, ACCOUNTS)

    assert by_role(given_up) == {"write_off": 3000, "receivable": -3000}
    assert given_up.entries.item(0, "narration") == "Write-off W-1, account 10001: insolvent"


@pytest.mark.parametrize(
    ("most", "role"), [(0, "write_off"), (2999, "write_off"), (3000, "rounding")]
)
def test_a_cent_that_is_missing_is_rounding_where_the_tenant_says_so(most: int, role: str) -> None:
    chart = OWNER.ledger_accounts.model_copy(
        update={
            "by_role": {**OWNER.ledger_accounts.by_role, "rounding": "4999"},
            "rounding_up_to_minor": most,
        }
    )
    owner = OWNER.model_copy(update={"ledger_accounts": chart})

    given_up = journal_for_payments(write_off(day("12-31")), owner, ACCOUNTS)

    assert by_role(given_up) == {role: 3000, "receivable": -3000}


@pytest.mark.parametrize(
    ("condition", "role"),
    [
        ({"currency": "GBP"}, "rounding"),
        ({"currency": "USD"}, "write_off"),
        ({"customer_group": "nobody"}, "write_off"),
        ({"tax": "S/20"}, "write_off"),
    ],
)
def test_a_cent_that_no_rounding_account_fits_is_written_off(
    condition: dict[str, str], role: str
) -> None:
    rule = LedgerRule.model_validate({"role": "rounding", "ledger_account": "4999", **condition})
    chart = OWNER.ledger_accounts.model_copy(update={"rounding_up_to_minor": 3000, "rules": [rule]})
    owner = OWNER.model_copy(update={"ledger_accounts": chart})

    given_up = journal_for_payments(write_off(day("12-31")), owner, ACCOUNTS)

    assert by_role(given_up) == {role: 3000, "receivable": -3000}


def test_intercompany_stands_mirrored_in_both_books() -> None:
    supplied = pl.DataFrame(
        {
            "period": "2026-01",
            "product_key": ["calls", "numbers"],
            "currency": "GBP",
            "amount_minor": [1200, 300],
        }
    )

    seller, buyer = journal_for_intercompany(supplied, JANUARY, OWNER, OWNER)

    assert by_role(seller) == {"intercompany_receivable": 1500, "intercompany_revenue": -1500}
    assert by_role(buyer) == {"intercompany_cost": 1500, "intercompany_payable": -1500}


@settings(deadline=None)
@given(
    net=st.integers(min_value=-(10**12), max_value=10**12),
    days=st.integers(min_value=1, max_value=800),
    offset=st.integers(min_value=-40, max_value=40),
)
def test_the_months_of_a_service_sum_to_its_net(net: int, days: int, offset: int) -> None:
    start = day("01-15") + dt.timedelta(days=offset)
    line = pl.DataFrame(
        {
            "net_minor": [net],
            "service_from": [start],
            "service_until": [start + dt.timedelta(days=days)],
        }
    )
    ends = [day("01-01") + dt.timedelta(days=30 * n) for n in range(-3, 32)]
    earned = [line.select(earned_minor(end)).item() for end in ends]
    steps = [after - before for before, after in zip([0, *earned], earned, strict=False)]

    assert sum(steps) == net
    assert all(step * net >= 0 for step in steps)


def test_without_a_discount_account_discounts_lower_revenue() -> None:
    chart = CHART.model_copy(update={"by_role": {"accrued_revenue": "1109"}})
    draft = Document("draft", [("calls", 1000), ("calls", -100)])
    lines = lines_of(draft, ("usage", "01-01", "02-01"), ("discount", "01-01", "02-01"))

    accrual = accrual_of_unbilled_revenue(lines, JANUARY, tenant(ledger_accounts=chart))

    assert by_role(accrual) == {"accrued_revenue": 900, "revenue": -900}


def test_an_empty_month_books_nothing() -> None:
    release = release_of_deferred_revenue(IN_ADVANCE_LINES.clear(), JOURNAL.empty(), JANUARY, OWNER)

    assert release.entries.is_empty()
