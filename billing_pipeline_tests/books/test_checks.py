import datetime as dt
from decimal import Decimal

import pytest
import sqlalchemy as sa

from billing_pipeline.books.checks import create_views, failing_checks
from billing_pipeline.books.scope import installation_scope, tenant_scope
from billing_pipeline.books.summary import (
    invoice_summary,
    journal_summary,
    stage_summary,
    usage_summary,
)
from billing_pipeline_tests.books.builders import (
    account,
    apply,
    bill_run,
    load_file,
    subscription,
    tenant_rows,
)

pytestmark = pytest.mark.postgres


@pytest.fixture
def books(engine: sa.Engine) -> sa.Engine:
    """Two invoices, posted, issued and booked; one usage file loaded."""
    apply(engine, tenant_rows("company"), tenant_rows(parent="company"))
    load_file(engine, "company", dt.date(2026, 1, 20), Decimal(60))
    bill_run(engine, 1, 2)
    return engine


def test_good_books_fail_no_check(books: sa.Engine) -> None:
    with installation_scope(books) as connection:
        assert failing_checks(connection) == {}


def test_damage_behind_the_triggers_back_is_found(books: sa.Engine) -> None:
    with books.begin() as owner:
        owner.execute(sa.text("set local session_replication_role = replica"))
        owner.execute(sa.text("update postings set amount_minor = 1 where posting_number = 1"))

    with installation_scope(books) as connection:
        failing = failing_checks(connection)

    assert failing["journal_balances"].height == 2


def test_views_are_made_once_and_again_when_they_change(books: sa.Engine) -> None:
    with books.begin() as owner:
        before = owner.execute(sa.text("select 'trial_balance'::regclass::oid")).scalar_one()
        names = create_views(owner)
        assert (
            owner.execute(sa.text("select 'trial_balance'::regclass::oid")).scalar_one() == before
        )
        owner.execute(sa.text("comment on view trial_balance is 'older'"))
        create_views(owner)
        assert (
            owner.execute(sa.text("select 'trial_balance'::regclass::oid")).scalar_one() != before
        )
    assert "revenue" in names


def test_views_show_what_the_reader_may_see(books: sa.Engine) -> None:
    with tenant_scope(books, "acme") as connection:
        revenue = connection.execute(sa.text("select month, revenue_minor from revenue"))
        taxes = connection.execute(sa.text("select base_minor, tax_minor from tax_report"))
        files = connection.execute(sa.text("select * from usage_file_states"))
        assert [tuple(row) for row in revenue] == [(dt.date(2026, 2, 1), 4000)]
        assert [tuple(row) for row in taxes] == [(4000, 760)]
        assert files.all() == []  # the file is the company's


def test_current_subscriptions_have_their_payer(engine: sa.Engine) -> None:
    apply(
        engine,
        tenant_rows(
            accounts=(account("A1", payer_key="A0"), account("A0")),
            subscriptions=(subscription("S1"),),
        ),
    )
    with tenant_scope(engine, "acme") as connection:
        rows = connection.execute(
            sa.text("select account_key, payer_key from current_subscriptions")
        )
        assert [tuple(row) for row in rows] == [("A1", "A0")]


def test_the_summary_counts_what_is_there(books: sa.Engine) -> None:
    with installation_scope(books) as connection:
        assert usage_summary(connection).rows() == [("company", "loaded", 1, 1, 1, 0, 0)]
        assert stage_summary(connection).is_empty()
        assert invoice_summary(connection).rows() == [
            ("acme", "invoice", "EUR", 2, 4000, 760, 4760)
        ]
        assert journal_summary(connection).rows() == [("acme", "EUR", 2, 4760, 4760)]
