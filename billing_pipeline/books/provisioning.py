"""The outbox of provisioning: events are emitted once and stay until they are acknowledged."""

import datetime as dt
from collections.abc import Sequence

import polars as pl
import sqlalchemy as sa

from billing_pipeline.books.billing_tables import provisioning_events as events
from billing_pipeline.books.copy import copy_in, copy_out
from billing_pipeline.customers.schema import PROVISIONING_EVENTS
from billing_pipeline.vocabulary.frames import UTC_INSTANT, FrameSchema, required

OUTBOX = FrameSchema(
    name="outbox",
    grain="one row per event that waits to be acknowledged",
    columns={
        "event_number": required(pl.Int64, "order of emission"),
        **PROVISIONING_EVENTS.columns,
        "emitted_at": required(UTC_INSTANT, "when it was found"),
    },
)


def emitted_events(connection: sa.Connection, tenant_key: str) -> pl.DataFrame:
    """All PROVISIONING_EVENTS emitted for the tenant, in the order of emission."""
    emitted = (
        sa.select(*(events.c[name] for name in PROVISIONING_EVENTS.names))
        .where(events.c.tenant_key == tenant_key)
        .order_by(events.c.event_number)
    )
    return copy_out(connection, emitted, PROVISIONING_EVENTS)


def emit(
    connection: sa.Connection, tenant_key: str, new: pl.DataFrame, emitted_at: dt.datetime
) -> int:
    """Add PROVISIONING_EVENTS to the outbox in their order, and return how many."""
    rows = PROVISIONING_EVENTS.conform(new).with_columns(
        tenant_key=pl.lit(tenant_key), emitted_at=pl.lit(emitted_at).dt.convert_time_zone("UTC")
    )
    return copy_in(connection, events, rows)


def waiting_events(connection: sa.Connection, tenant_key: str, *, limit: int) -> pl.DataFrame:
    """The first events of the OUTBOX that nobody has acknowledged."""
    waiting = (
        sa.select(*(events.c[name] for name in OUTBOX.names))
        .where(events.c.tenant_key == tenant_key, events.c.acknowledged_at.is_(None))
        .order_by(events.c.event_number)
        .limit(limit)
    )
    return copy_out(connection, waiting, OUTBOX)


def acknowledge(
    connection: sa.Connection,
    tenant_key: str,
    numbers: Sequence[int],
    *,
    acknowledged_by: str,
    acknowledged_at: dt.datetime,
) -> int:
    """Note that a system has acted on events; those acknowledged before are left alone."""
    done = connection.execute(
        sa.update(events)
        .where(
            events.c.tenant_key == tenant_key,
            events.c.event_number.in_(numbers),
            events.c.acknowledged_at.is_(None),
        )
        .values(acknowledged_at=acknowledged_at, acknowledged_by=acknowledged_by)
    )
    return done.rowcount
