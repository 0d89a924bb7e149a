"""`sql/checks` are silent on clean books and find a row that somebody changed; `sql/views` add up.

Faults are put in as a superuser who has switched the triggers off: the only way left.
"""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from billing_pipeline.books.checks import create_views, failing_checks
from billing_pipeline.books.sql_files import sql_folder

pytestmark = pytest.mark.postgres

CHECKS = {file.stem for file in (sql_folder() / "checks").glob("*.sql")}
BOOKS = (Path(__file__).parent / "clean_books.sql").read_text()

# One fault per check: the statement and the subject the check must name.
FAULTS = {
    "bill_days_without_gaps": ("delete from bill_days where bill_day = '2026-02-02'", "2026-02-03"),
    "charges_equal_invoice_lines": (
        "update charges set net_minor = 501 where charge_key = 's1/calls'",
        "s1/calls#1",
    ),
    "conservation_holds": (
        "update conservation set accepted = accepted - 1",
        "rate 2026-01-05",
    ),
    "credits_within_charges": (
        "update charges set net_minor = -501 where posting_number = 2",
        "s1/calls",
    ),
    "handoff_equals_journal": (
        "update postings set amount_minor = 3001 where amount_minor = 3000",
        "journal_csv 1 GBP",
    ),
    "handoffs_follow": (
        "update handoff_batches set first_entry = 2, last_entry = 2",
        "journal_csv 1",
    ),
    "identifiers_have_one_owner": (
        "update service_identifiers set subscription_key = 'nobody'",
        "442071234567",
    ),
    "invoice_numbers_without_gaps": (
        "delete from invoices where invoice_number = 'INV-2026-000002'",
        "invoice 2026",
    ),
    "invoices_equal_their_lines": (
        "update invoice_lines set net_minor = 2001 where charge_key = 's1/fee/1'",
        "INV-2026-000001",
    ),
    "journal_balances": (
        "update postings set amount_minor = -501 where role = 'tax' and entry_number = 1",
        "invoice/INV-2026-000001",
    ),
    "journal_equals_invoices": (
        "update journal_entries set source_key = 'INV-2026-000009' where entry_number = 1",
        "INV-2026-000001",
    ),
    "journal_numbers_without_gaps": (
        "update journal_entries set entry_number = 7 where entry_number = 2",
        "journal",
    ),
    "payments_equal_journal": (
        """insert into payments values
        ('voice', 'P-1', 'payment', '10001', '2026-02-10', 'GBP', 1, '', 'test', '2026-02-10')""",
        "P-1",
    ),
    "rate_card_prices_do_not_overlap": (
        "update rate_card_prices set valid_until = null",
        "retail 44 2026-02-01",
    ),
    "service_periods_charged_once": (
        "update charges set service_from = '2026-01-31' where charge_key = 's1/fee/2'",
        "s1/fee/2",
    ),
    "taxes_recomputed": (
        "update invoice_taxes set tax_minor = 501 where invoice_number = 'INV-2026-000001'",
        "INV-2026-000001 S 20",
    ),
    "trial_balance_is_zero": (
        "update postings set amount_minor = -501 where role = 'tax' and entry_number = 1",
        "GBP",
    ),
    "usage_after_masking": ("update usage_days set masked_at = '2026-06-01'", "2026-01-05"),
}


@pytest.fixture
def books(engine: sa.Engine) -> Iterator[sa.Connection]:
    with engine.connect() as connection:
        create_views(connection)
        run(connection, f"set session_replication_role = replica; {BOOKS}")
        yield connection
        connection.rollback()


def run(connection: sa.Connection, script: str) -> None:
    cursor = connection.connection.cursor()
    cursor.execute(script)
    cursor.close()


def rows(connection: sa.Connection, query: str) -> list[tuple[object, ...]]:
    return [tuple(row) for row in connection.exec_driver_sql(query.replace("%", "%%"))]


def test_every_check_has_a_fault_it_must_find() -> None:
    assert set(FAULTS) == CHECKS


def test_no_check_says_anything_about_clean_books(books: sa.Connection) -> None:
    assert failing_checks(books) == {}


@pytest.mark.parametrize("check", sorted(FAULTS))
def test_a_check_finds_the_row_that_was_changed(check: str, books: sa.Connection) -> None:
    tampering, subject = FAULTS[check]
    run(books, tampering)

    found = failing_checks(books)[check]

    assert found.columns[:3] == ["tenant_key", "subject", "message"]
    assert found.columns[3:] in ([], ["account_key"])
    assert ("voice", subject) in found.select("tenant_key", "subject").rows()
    assert found.get_column("message").str.ends_with(".").all()


def test_revenue_is_shown_per_product_and_month(books: sa.Connection) -> None:
    shown = rows(
        books,
        "select product_key, month::text, revenue from revenue "
        "where tenant_key = 'voice' order by month, product_key",
    )

    assert shown == [
        ("calls", "2026-02-01", Decimal("5.00")),
        ("subscription", "2026-02-01", Decimal("20.00")),
        ("calls", "2026-03-01", Decimal("-1.00")),
        ("subscription", "2026-03-01", Decimal("20.00")),
    ]


def test_a_company_sees_the_revenue_of_its_brands_summed(books: sa.Connection) -> None:
    shown = rows(
        books,
        "select tenant_key, sum(revenue) from revenue_roll_up "
        "where currency = 'GBP' group by tenant_key order by tenant_key",
    )

    assert shown == [("group", Decimal("44.00")), ("voice", Decimal("44.00"))]


def test_revenue_rolls_up_by_category_of_own_and_inherited_products(books: sa.Connection) -> None:
    # The brand sells the company's calls, and has a product and a category of its own beside.
    run(
        books,
        """
        update tenants set document = '{"inherits_catalog": true}' where tenant_key = 'voice';
        insert into catalog_entries
            (tenant_key, kind, entry_key, document, content_hash, revision, known_from)
        values
        ('group', 'product_category', 'usage', '{"name": "Usage"}', '', 1, '2026-01-01'),
        ('group', 'product', 'calls', '{"category": "usage"}', '', 1, '2026-01-01'),
        ('group', 'product', 'subscription', '{"category": "usage"}', '', 1, '2026-01-01'),
        ('voice', 'product_category', 'fees', '{"name": "Fees"}', '', 1, '2026-01-01'),
        ('voice', 'product', 'subscription', '{"category": "fees"}', '', 1, '2026-01-01')
        """,
    )
    query = (
        "select tenant_key, month::text, category, category_name, tenants, revenue"
        " from revenue_by_category where month = '2026-03-01' order by tenant_key, category"
    )

    assert rows(books, query) == [
        (tenant, "2026-03-01", category, name, 1, Decimal(revenue))
        for tenant in ("group", "voice")
        for category, name, revenue in (("fees", "Fees", "20.00"), ("usage", "Usage", "-1.00"))
    ]

    run(books, "update tenants set document = '{}' where tenant_key = 'voice'")

    assert [row[2:] for row in rows(books, query)][:2] == [
        ("fees", "Fees", 1, Decimal("20.00")),
        (None, None, 1, Decimal("-1.00")),
    ]


def test_the_trial_balance_shows_every_account(books: sa.Connection) -> None:
    # Receivable 30.00 + 22.80; revenue 20 + 20 and 5 - 1; tax 5.00 + 3.80.
    assert rows(
        books, "select ledger_account, balance from trial_balance order by ledger_account"
    ) == [
        ("1100", Decimal("52.80")),
        ("2200", Decimal("-8.80")),
        ("4000", Decimal("-40.00")),
        ("4010", Decimal("-4.00")),
    ]


def test_the_tax_report_gives_base_and_tax_per_month(books: sa.Connection) -> None:
    assert rows(books, "select month::text, base, tax from tax_report order by month") == [
        ("2026-02-01", Decimal("25.00"), Decimal("5.00")),
        ("2026-03-01", Decimal("19.00"), Decimal("3.80")),
    ]


@pytest.mark.parametrize(
    ("as_of", "ages"),
    [
        pytest.param("2026-02-15", [3000, 0, 0, 0, 0], id="due today is not overdue"),
        pytest.param("2026-02-16", [0, 3000, 0, 0, 0], id="a day late"),
        pytest.param("2026-03-18", [0, 2280, 3000, 0, 0], id="a month late and a day late"),
        pytest.param("2026-05-17", [0, 0, 0, 2280, 3000], id="a quarter late"),
    ],
)
def test_receivables_age_by_days_since_due(
    as_of: str, ages: list[int], books: sa.Connection
) -> None:
    (shown,) = rows(
        books,
        f"select * from receivables_aged('{as_of}')",  # noqa: S608 - the test's own date
    )

    # After tenant, account, currency and number of documents: not due, 1-30, 31-60, 61-90, 90+.
    assert list(shown[4:9]) == ages


def test_a_bill_run_stands_beside_the_one_before(books: sa.Connection) -> None:
    shown = rows(
        books,
        "select invoices, net_minor, change_minor, change_percent from bill_runs order by bill_day",
    )

    assert shown == [(1, 2500, None, None), (1, 1900, -600, Decimal("-24.0"))]


def test_an_account_s_month_stands_beside_the_month_before(books: sa.Connection) -> None:
    shown = rows(
        books,
        "select month::text, net_minor, previous_net_minor, change_minor from account_movements "
        "order by month",
    )

    # 25.00 in February, the first month; 20.00 less 1.00 in March.
    assert [row[:2] for row in shown] == [("2026-02-01", 2500), ("2026-03-01", 1900)]
    assert shown[1][2:] == (2500, -600)


def test_a_role_s_balance_is_all_it_moved_until_then(books: sa.Connection) -> None:
    shown = rows(
        books,
        "select month::text, movement_minor, balance_minor from role_balances "
        "where role = 'receivable' order by month",
    )

    assert shown == [("2026-02-01", 3000, 3000), ("2026-03-01", 2280, 5280)]


def test_a_format_shows_what_it_still_has_to_hand_over(books: sa.Connection) -> None:
    assert rows(
        books,
        "select format_name, last_entry_exported, entries_waiting from handoff_status",
    ) == [("journal_csv", 1, 1)]


@pytest.mark.parametrize(
    ("tenant", "seen"),
    [pytest.param("voice", 4, id="owner"), pytest.param("other", 0, id="stranger")],
)
def test_a_reader_sees_its_own_rows_only(tenant: str, seen: int, books: sa.Connection) -> None:
    run(
        books,
        f"set local role billing_reader; select set_config('billing.tenant', '{tenant}', true)",
    )

    assert len(rows(books, "select * from revenue")) == seen


@pytest.mark.parametrize(
    ("currency", "expected"),
    [("GBP", Decimal("12.34")), ("JPY", Decimal(1234)), ("KWD", Decimal("1.234"))],
)
def test_major_amounts_have_their_currency_s_decimals(
    currency: str, expected: Decimal, books: sa.Connection
) -> None:
    ((amount,),) = rows(books, f"select major_amount(1234, '{currency}')")

    assert amount == expected


@pytest.mark.parametrize(
    "view",
    [
        "account_movements",
        "aged_receivables",
        "invoice_register",
        "usage_days_status",
        "usage_flow",
    ],
)
def test_every_row_of_a_view_says_whose_it_is(view: str, books: sa.Connection) -> None:
    shown = rows(books, f"select tenant_key from {view}")  # noqa: S608 - the test's own names

    assert {tenant for (tenant,) in shown} == {"voice"}
