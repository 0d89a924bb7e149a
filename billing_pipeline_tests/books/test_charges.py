import datetime as dt
from decimal import Decimal

import polars as pl
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from billing_pipeline.billing.schema import POSTED, TO_POST
from billing_pipeline.books.charges import post_charges, posted_charges
from billing_pipeline.books.scope import tenant_scope
from billing_pipeline_tests.books.builders import BILL_DAY, Values, apply, frame, tenant_rows

pytestmark = pytest.mark.postgres


@pytest.fixture
def books(engine: sa.Engine) -> sa.Engine:
    apply(engine, tenant_rows())
    return engine


def to_post(*postings: Values) -> pl.DataFrame:
    """Postings of one charge unless said otherwise, on line 1 of INV-<posting_number>."""
    plain: Values = {
        "charge_key": "S1/minutes/usage/2026-01-01",
        "account_key": "A1",
        "subscription_key": "S1",
        "product_key": "minutes",
        "price_key": "per_minute",
        "charge_kind": "usage",
        "description": "100 min",
        "service_from": dt.date(2026, 1, 1),
        "service_until": dt.date(2026, 2, 1),
        "bill_from": dt.date(2026, 2, 1),
        "quantity": Decimal(100),
        "unit": "min",
        "unit_price": Decimal("0.05"),
        "amount": Decimal(5),
        "currency": "EUR",
        "tax_category": "standard",
        "events": 3,
        "posted_amount": Decimal(0),
        "posted_minor": 0,
        "posted_quantity": Decimal(0),
        "posting_number": 1,
        "difference": Decimal(5),
        "reason": "new",
    }
    rows = [plain | values for values in postings]
    documents = pl.DataFrame(
        {
            "invoice_number": [row.get("invoice_number", "INV-1") for row in rows],
            "line_number": [row.get("line_number", 1) for row in rows],
            "net_minor": [row.get("net_minor", 500) for row in rows],
        },
        schema={"invoice_number": pl.String, "line_number": pl.Int64, "net_minor": pl.Int64},
    )
    return pl.concat([frame(TO_POST, *rows), documents], how="horizontal")


CORRECTION: Values = {
    "description": "110 min",
    "quantity": Decimal(110),
    "amount": Decimal("5.5000000001"),
    "posting_number": 2,
    "difference": Decimal("0.5000000001"),
    "reason": "increased",
    "net_minor": 50,
    "invoice_number": "INV-2",
}


def post(engine: sa.Engine, *postings: Values, bill_day: dt.date = BILL_DAY) -> int:
    with tenant_scope(engine, "acme") as connection:
        return post_charges(connection, "acme", bill_day, to_post(*postings))


def posted(engine: sa.Engine, *account_keys: str) -> pl.DataFrame:
    with tenant_scope(engine, "acme") as connection:
        return posted_charges(connection, "acme", pl.Series(account_keys, dtype=pl.String))


def test_postings_sum_up_under_the_latest_description(books: sa.Engine) -> None:
    assert post(books, {}) == 1
    post(books, CORRECTION, bill_day=dt.date(2026, 3, 1))

    row = posted(books, "A1").row(0, named=True)

    assert row["posted_amount"] == Decimal("5.5000000001")
    assert row["amount"] == Decimal("5.5000000001")
    assert row["posted_minor"] == 550
    assert row["postings"] == 2
    assert row["description"] == "110 min"
    assert row["invoice_number"] == "INV-1"


def test_only_the_accounts_asked_for_are_read(books: sa.Engine) -> None:
    post(books, {}, {"charge_key": "S2/x", "account_key": "A2"})

    assert posted(books, "A2").get_column("charge_key").to_list() == ["S2/x"]
    assert posted(books, "A1", "A2", "A2").height == 2
    assert posted(books).equals(POSTED.empty())


def test_a_posting_that_comes_to_nothing_is_on_no_document(books: sa.Engine) -> None:
    nothing: Values = {
        "invoice_number": None,
        "line_number": None,
        "net_minor": 0,
        "difference": Decimal(0),
    }
    post(books, nothing)
    post(books, CORRECTION)

    assert posted(books, "A1").item(0, "invoice_number") == "INV-2"


def test_the_same_posting_of_two_runs_is_refused(books: sa.Engine) -> None:
    post(books, {})

    with pytest.raises(DBAPIError, match="charges_pkey"):
        post(books, {})


@pytest.mark.parametrize(
    "change", ["update charges set net_minor = 0", "delete from charges", "truncate charges"]
)
def test_nobody_changes_a_posting(books: sa.Engine, change: str) -> None:
    post(books, {})

    with pytest.raises(DBAPIError, match="append-only"), books.begin() as owner:
        owner.execute(sa.text(change))
