"""What is due: usage days to mediate, days to rate, local days to bill. Natural keys throughout.

A stage reads the counter `touched` with its work and reports it back when done; a day touched in
between stays stale.
"""

import datetime as dt
from collections.abc import Sequence

import polars as pl
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from billing_pipeline.books.copy import copy_out
from billing_pipeline.books.schema import DUE_BILL_DAYS, STALE_DAYS
from billing_pipeline.books.tables import bill_days, rating_days, usage_days

# Each tenant's local days after the last one planned, up to those whose bill hour has come.
# A day back in time is never added, so documents are numbered in the order of their dates.
_PLAN = sa.text("""
    insert into bill_days (tenant_key, bill_day, due_at)
    select planned.tenant_key, planned.bill_day, planned.due_at
    from (
        select
            tenants.tenant_key,
            days.day::date as bill_day,
            (days.day + make_interval(hours => tenants.bill_hour))
            at time zone tenants.time_zone as due_at
        from tenants
        inner join lateral (
            select coalesce(
                (
                    select max(bill_days.bill_day) + 1 from bill_days
                    where bill_days.tenant_key = tenants.tenant_key
                ),
                (
                    select min(subscriptions.started_on) from subscriptions
                    where subscriptions.tenant_key = tenants.tenant_key
                        and subscriptions.known_until is null
                )
            ) as first_day
        ) as open_days on open_days.first_day is not null
        cross join lateral generate_series(
            open_days.first_day::timestamp,
            (cast(:now as timestamptz) at time zone tenants.time_zone)::date::timestamp,
            interval '1 day'
        ) as days (day)
    ) as planned
    where planned.due_at <= :now
    on conflict do nothing
""")


class BillDayClosed(Exception):
    """A bill day is not planned, or was completed already: its invoices are out."""


def touch_usage_days(
    connection: sa.Connection, owner_tenant_key: str, days: Sequence[dt.date]
) -> None:
    """Make usage days of a feed owner stale: records came or went."""
    _touch(connection, usage_days, [(owner_tenant_key, day) for day in sorted(days)])


def stale_usage_days(connection: sa.Connection) -> pl.DataFrame:
    """STALE_DAYS to mediate, per owner of feeds, oldest first."""
    return _stale(connection, usage_days, usage_days.c.mediated)


def owners_of_usage_day(connection: sa.Connection, usage_day: dt.date) -> list[str]:
    """Tenants whose files hold, or held, records of a usage day, sorted; masked days have none."""
    owners = sa.select(usage_days.c.tenant_key).where(
        usage_days.c.usage_day == usage_day, usage_days.c.masked_at.is_(None)
    )
    return sorted(connection.execute(owners).scalars())


def usage_day_touched(connection: sa.Connection, owner_tenant_key: str, usage_day: dt.date) -> int:
    """The counter of a usage day to hand to `record_mediated`; 0 if no file ever touched it."""
    return _touched(connection, usage_days, owner_tenant_key, usage_day)


def rating_day_touched(connection: sa.Connection, tenant_key: str, usage_day: dt.date) -> int:
    """The counter of a tenant's day to hand to `record_rated`; 0 if it never had usage."""
    return _touched(connection, rating_days, tenant_key, usage_day)


def record_mediated(
    connection: sa.Connection,
    owner_tenant_key: str,
    usage_day: dt.date,
    touched: int,
    tenant_keys: Sequence[str],
) -> None:
    """Note that a day was mediated as of counter `touched`.

    The day becomes stale for rating in each of `tenant_keys`, the tenants whose events of the day
    were written anew.
    """
    _settle(connection, usage_days, usage_days.c.mediated, owner_tenant_key, usage_day, touched)
    _touch(connection, rating_days, [(key, usage_day) for key in sorted(set(tenant_keys))])


def mark_rating_days_stale(
    connection: sa.Connection, tenant_key: str, from_day: dt.date, until_day: dt.date
) -> int:
    """Have days with usage in [from_day, until_day) rated again; return how many."""
    marked = connection.execute(
        sa.update(rating_days)
        .where(
            rating_days.c.tenant_key == tenant_key,
            rating_days.c.usage_day >= from_day,
            rating_days.c.usage_day < until_day,
            rating_days.c.masked_at.is_(None),
        )
        .values(touched=rating_days.c.touched + 1, changed_at=sa.func.clock_timestamp())
    )
    return marked.rowcount


def stale_rating_days(connection: sa.Connection) -> pl.DataFrame:
    """STALE_DAYS to rate, per tenant, oldest first."""
    return _stale(connection, rating_days, rating_days.c.rated)


def record_rated(
    connection: sa.Connection, tenant_key: str, usage_day: dt.date, touched: int
) -> None:
    """Note that a tenant's day was rated as of counter `touched`."""
    _settle(connection, rating_days, rating_days.c.rated, tenant_key, usage_day, touched)


def plan_bill_days(connection: sa.Connection, now: dt.datetime) -> int:
    """Make every local day due whose bill hour has come by `now`; return how many are new.

    From each tenant's first subscription on. A day is due once by its key; an hour that a DST
    change skips comes at the moment the clocks went forward.
    """
    return connection.execute(_PLAN, {"now": now}).rowcount


def is_bill_day_completed(connection: sa.Connection, tenant_key: str, bill_day: dt.date) -> bool:
    """Whether the day's invoices are out."""
    state = sa.select(bill_days.c.state).where(
        bill_days.c.tenant_key == tenant_key, bill_days.c.bill_day == bill_day
    )
    return connection.execute(state).scalar_one_or_none() == "completed"


def due_bill_days(
    connection: sa.Connection, *, tenant_key: str | None = None, limit: int
) -> pl.DataFrame:
    """The next DUE_BILL_DAYS: not completed, oldest first, failed and interrupted ones too."""
    key = sa.collate(bill_days.c.tenant_key, "C")
    select = (
        sa.select(*(bill_days.c[name] for name in DUE_BILL_DAYS.names))
        .where(bill_days.c.state != "completed")
        .order_by(bill_days.c.bill_day, key)
        .limit(limit)
    )
    if tenant_key is not None:
        select = select.where(bill_days.c.tenant_key == tenant_key)
    return copy_out(connection, select, DUE_BILL_DAYS)


def start_bill_day(
    connection: sa.Connection, tenant_key: str, bill_day: dt.date, *, started_at: dt.datetime
) -> None:
    """Note that a run works on the day.

    Raises: BillDayClosed.
    """
    if not _change(connection, tenant_key, bill_day, state="running", started_at=started_at):
        raise BillDayClosed(f"{bill_day} of {tenant_key} is not planned or is completed")


def complete_bill_day(
    connection: sa.Connection,
    tenant_key: str,
    bill_day: dt.date,
    *,
    completed_at: dt.datetime,
    invoices: int,
) -> None:
    """Close the day, in the transaction that issues: of two runs of a day only one commits.

    Raises: BillDayClosed; the caller's transaction must then end.
    """
    values = {"completed_at": completed_at, "invoices": invoices, "message": None}
    if not _change(connection, tenant_key, bill_day, state="completed", **values):
        raise BillDayClosed(f"{bill_day} of {tenant_key} was not planned or is completed already")


def complete_quiet_days(
    connection: sa.Connection,
    tenant_key: str,
    days: Sequence[dt.date],
    *,
    completed_at: dt.datetime,
) -> None:
    """Close days on which nobody is due; those that are completed already stay as they are.

    Raises: BillDayClosed if one of them was never planned.
    """
    named = [bill_days.c.tenant_key == tenant_key, bill_days.c.bill_day.in_(days)]
    connection.execute(
        sa.update(bill_days)
        .where(*named, bill_days.c.state != "completed")
        .values(state="completed", completed_at=completed_at, invoices=0, message=None)
    )
    planned = set(connection.execute(sa.select(bill_days.c.bill_day).where(*named)).scalars())
    if missing := sorted(set(days) - planned):
        raise BillDayClosed(f"{missing[0]} of {tenant_key} was not planned")


def fail_bill_day(
    connection: sa.Connection, tenant_key: str, bill_day: dt.date, *, message: str
) -> bool:
    """Note why an attempt failed and count it; False if the day is completed all the same."""
    attempt = bill_days.c.attempt + 1
    return _change(
        connection, tenant_key, bill_day, state="failed", message=message, attempt=attempt
    )


def ask_again(connection: sa.Connection, tenant_key: str, bill_day: dt.date) -> bool:
    """Have the schedule ask for a bill day under a new run key; False if it is completed."""
    attempt = bill_days.c.attempt + 1
    return _change(connection, tenant_key, bill_day, state="due", message=None, attempt=attempt)


def _change(
    connection: sa.Connection, tenant_key: str, bill_day: dt.date, **values: object
) -> bool:
    changed = connection.execute(
        sa.update(bill_days)
        .where(
            bill_days.c.tenant_key == tenant_key,
            bill_days.c.bill_day == bill_day,
            bill_days.c.state != "completed",
        )
        .values(**values)
    )
    return changed.rowcount == 1


def _touch(connection: sa.Connection, table: sa.Table, days: Sequence[tuple[str, dt.date]]) -> None:
    if not days:
        return
    # Sorted by the callers: two transactions that touch the same days must not deadlock.
    rows = [{"tenant_key": key, "usage_day": day} for key, day in days]
    insert = postgresql.insert(table).values(rows)
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=["tenant_key", "usage_day"],
            set_={"touched": table.c.touched + 1, "changed_at": sa.func.clock_timestamp()},
        )
    )


def _touched(
    connection: sa.Connection, table: sa.Table, tenant_key: str, usage_day: dt.date
) -> int:
    counter = sa.select(table.c.touched).where(
        table.c.tenant_key == tenant_key, table.c.usage_day == usage_day
    )
    return connection.execute(counter).scalar_one_or_none() or 0


def _stale(connection: sa.Connection, table: sa.Table, done: sa.ColumnElement[int]) -> pl.DataFrame:
    select = sa.select(*(table.c[name] for name in STALE_DAYS.names)).where(
        done < table.c.touched, table.c.masked_at.is_(None)
    )
    return copy_out(connection, select, STALE_DAYS).sort("usage_day", "tenant_key")


def _settle(
    connection: sa.Connection,
    table: sa.Table,
    done: sa.Column[int],
    tenant_key: str,
    usage_day: dt.date,
    touched: int,
) -> None:
    connection.execute(
        sa.update(table)
        .where(table.c.tenant_key == tenant_key, table.c.usage_day == usage_day, done < touched)
        .values({done: touched, "changed_at": sa.func.clock_timestamp()})
    )
