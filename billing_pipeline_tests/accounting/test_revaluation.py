"""Receivables in foreign currency, worked by hand: EUR 100.00 in the books of a USD tenant."""

import datetime as dt
from decimal import Decimal

import polars as pl
import pytest

from billing_pipeline.accounting.journal import Journal, numbered_journal
from billing_pipeline.accounting.revaluation import UnknownRate, revaluation_of_receivables
from billing_pipeline.accounting.schema import JOURNAL
from billing_pipeline.customers.policies import ExchangeRate
from billing_pipeline.customers.tenant import LedgerAccounts
from billing_pipeline.receivables.schema import OPEN_ITEMS
from billing_pipeline_tests.accounting.builders import tenant

OWNER = tenant(
    currency="USD",
    ledger_accounts=LedgerAccounts(
        receivable="1100",
        revenue="4000",
        tax="2200",
        by_role={"receivable_revaluation": "1190", "exchange_difference": "7700"},
    ),
).model_copy(
    update={
        "exchange_rates": [
            ExchangeRate(currency="EUR", valid_from=dt.date(2026, 1, 1), rate=Decimal("1.10")),
            ExchangeRate(currency="EUR", valid_from=dt.date(2026, 1, 31), rate=Decimal("1.20")),
            ExchangeRate(currency="EUR", valid_from=dt.date(2026, 2, 28), rate=Decimal("1.15")),
        ]
    }
)
JANUARY, FEBRUARY = dt.date(2026, 1, 31), dt.date(2026, 2, 28)


def item(currency: str = "EUR") -> pl.DataFrame:
    row = ("INV-1", "A1", dt.date(2026, 1, 10), dt.date(2026, 1, 24), currency, 10_000)
    return pl.DataFrame([row], schema=OPEN_ITEMS.polars_schema, orient="row")


def amounts(journal: Journal) -> dict[str, int]:
    return dict(journal.postings.select("role", "amount_minor").rows())


def test_what_a_receivable_gained_by_the_month_end_is_booked() -> None:
    january = revaluation_of_receivables(item(), JOURNAL.empty(), JANUARY, OWNER)

    # 100 x 1.20 - 100 x 1.10 = 10.00
    assert amounts(january) == {"receivable_revaluation": 1000, "exchange_difference": -1000}
    assert january.entries.item(0, "currency") == "USD"


def test_the_next_month_books_only_what_changed() -> None:
    january = revaluation_of_receivables(item(), JOURNAL.empty(), JANUARY, OWNER)

    february = revaluation_of_receivables(item(), numbered_journal(january, 1), FEBRUARY, OWNER)

    # 100 x 1.15 - 100 x 1.10 = 5.00, of which 10.00 were booked.
    assert amounts(february) == {"receivable_revaluation": -500, "exchange_difference": 500}


def test_own_currency_gains_nothing() -> None:
    assert revaluation_of_receivables(
        item("USD"), JOURNAL.empty(), JANUARY, OWNER
    ).postings.is_empty()


def test_a_currency_without_a_rate_is_refused_by_name() -> None:
    with pytest.raises(UnknownRate, match="no exchange rate of GBP for 2026-01-31"):
        revaluation_of_receivables(item("GBP"), JOURNAL.empty(), JANUARY, OWNER)
