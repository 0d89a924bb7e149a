"""From an invoice line to its charges, rated events, prices, files and record numbers."""

from collections.abc import Iterator

import polars as pl

from billing_pipeline.books import catalog, files, invoices, retention, suspense
from billing_pipeline.books.scope import installation_scope, tenant_scope
from billing_pipeline.orchestration.days import ONE_DAY
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.behind import fetch_usage_behind
from billing_pipeline.orchestration.steps.facts import read_tenant
from billing_pipeline.vocabulary.money import from_minor_units

_EVENT = (
    "started_at",
    "destination",
    "quantity",
    "billable_units",
    "unit_price",
    "amount",
    "rate_prefix",
    "rate_band",
    "rate_valid_from",
    "increments",
    "file_key",
    "record_number",
)

Lives = dict[tuple[str, int], list[str]]
"""Earlier waits of a record, by file key and record number."""


def trace_invoice(
    installation: Installation, invoice_number: str, line_number: int | None, *, limit: int
) -> Iterator[str]:
    """Lines of text for people: each invoice line, its charge, its events and their records.

    Raises: LookupError if there is no such invoice or line.
    """
    tenant_key = _tenant_of(installation, invoice_number)
    with tenant_scope(installation.engine, tenant_key) as connection:
        lines = invoices.read_lines(connection, tenant_key, invoice_number=invoice_number)
    if line_number is not None:
        lines = lines.filter(pl.col("line_number") == line_number)
    if lines.is_empty():
        raise LookupError(f"invoice {invoice_number} has no line {line_number}")
    # A correction shows all events of its charge, not only those on the first document.
    as_first = lines.with_columns(posting_number=pl.lit(1, pl.Int64))
    events = fetch_usage_behind(installation, read_tenant(installation, tenant_key), as_first)
    yield from _masked(installation, tenant_key, events)
    names = _file_names(installation, events)
    lives = _lives(installation, events)
    for line in lines.sort("line_number").iter_slices(1):
        yield from _line(line, events, names, lives, limit)


def _masked(installation: Installation, tenant_key: str, events: pl.DataFrame) -> Iterator[str]:
    """What is no longer known of the events, and since when."""
    days = events.select(day=pl.col("started_at").dt.date())["day"].unique().sort().to_list()
    if not days:
        return
    with tenant_scope(installation.engine, tenant_key) as connection:
        since = retention.masked_since(connection, tenant_key, days[0], days[-1] + ONE_DAY)
    if masked := [day for day in days if day in since]:
        yield (
            f"numbers of {len(masked)} usage days, {masked[0]} to {masked[-1]}, were masked by "
            f"{max(since.values()):%Y-%m-%d}: records are named, their originals are gone"
        )


def _tenant_of(installation: Installation, invoice_number: str) -> str:
    with installation_scope(installation.engine) as connection:
        tenants = catalog.tenant_keys(connection)
    for tenant_key in tenants:
        with tenant_scope(installation.engine, tenant_key) as connection:
            found = invoices.read_invoices(connection, tenant_key, invoice_number=invoice_number)
        if not found.is_empty():
            return tenant_key
    raise LookupError(f"no tenant has issued an invoice {invoice_number}")


def _file_names(installation: Installation, events: pl.DataFrame) -> dict[str, str]:
    with installation_scope(installation.engine) as connection:
        found = {key: files.file_by_key(connection, key) for key in set(events["file_key"])}
    return {key: file.name for key, file in found.items() if file is not None}


def _lives(installation: Installation, events: pl.DataFrame) -> Lives:
    """What suspense the records behind the events have been in, for people."""
    record = ["file_key", "record_number"]
    with installation_scope(installation.engine) as connection:
        found = suspense.lives_of_records(connection, events["file_key"].unique().to_list())
    own = found.join(events.select(record).unique(), on=record, how="semi")
    lives: Lives = {}
    columns = (*record, "stage", "reason", "first_seen_at", "closed_at", "attempts")
    for file_key, number, stage, reason, since, until, attempts in own.select(columns).rows():
        words = f"was in suspense ({stage}: {reason}) from {since:%Y-%m-%d %H:%M}"
        words += f" to {until:%Y-%m-%d %H:%M}" if until else ""
        lives.setdefault((file_key, number), []).append(f"{words}, {attempts} attempts")
    return lives


def _line(
    line: pl.DataFrame, events: pl.DataFrame, names: dict[str, str], lives: Lives, limit: int
) -> Iterator[str]:
    row = line.row(0, named=True)
    net = from_minor_units(row["net_minor"], row["currency"])
    yield f"line {row['line_number']}: {row['description']}  {net} {row['currency']}"
    yield (
        f"  charge {row['charge_key']} posting {row['posting_number']}, "
        f"price {row['price_key']}, service {row['service_from']} to before {row['service_until']}"
    )
    own = events.filter(
        (pl.col("invoice_key") == row["invoice_key"])
        & (pl.col("subscription_key") == row["subscription_key"])
        & (pl.col("price_key") == row["price_key"])
        & pl.lit(row["charge_kind"] == "usage")
    ).sort("started_at", "file_key", "record_number")
    if own.height:
        yield f"  {own.height} rated events, amount {own['amount'].sum()} {row['currency']}"
    for event in own.head(limit).iter_slices(1):
        row = event.select(_EVENT).row(0, named=True)
        yield _event(row, names)
        yield from (f"      {life}" for life in lives.get(_record_of(row), []))
    if own.height > limit:
        yield f"    ... and {own.height - limit} more (--limit)"


def _record_of(event: dict[str, object]) -> tuple[str, int]:
    return str(event["file_key"]), int(str(event["record_number"]))


def _event(event: dict[str, object], names: dict[str, str]) -> str:
    name = names[str(event["file_key"])]
    rate = f" prefix {event['rate_prefix']}" if event["rate_prefix"] else ""
    band = f" band {event['rate_band']}" if event["rate_band"] else ""
    steps = f" in {event['increments']}" if event["increments"] else ""
    since = f" of {event['rate_valid_from']}" if event["rate_valid_from"] else ""
    return (
        f"    {event['started_at']} {event['destination'] or ''} quantity {event['quantity']} "
        f"billable {event['billable_units']}{steps} at {event['unit_price']} = {event['amount']}"
        f"{rate}{band}{since}  <- {name} record {event['record_number']} ({event['file_key']})"
    )
