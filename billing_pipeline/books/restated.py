"""Accounts whose past has changed: what was agreed with them was entered, or taken back, later.

What becomes known belongs to the first bill day that is due after it. Due days follow each other
without a gap, so everything belongs to exactly one.
"""

import datetime as dt

import polars as pl
import sqlalchemy as sa

from billing_pipeline.books.copy import copy_out
from billing_pipeline.vocabulary.frames import FrameSchema, required

APPROVED_ACCOUNT = "bill_account"
"""Kind of approvals that make an account due again: their subject begins with its key."""

RESTATED = FrameSchema(
    name="restated_accounts",
    grain="one row per bill day and account whose past changed since the bill day before",
    columns={
        "bill_day": required(pl.Date, "first bill day due after it became known"),
        "account_key": required(pl.String, "billing account"),
        "is_approved": required(pl.Boolean, "a person released it: it is billed in any case"),
    },
)

# Open-ended moments of the past are cut off by `since`: an index finds the few that are left.
_RESTATED = sa.text("""
    with windows as (
        select
            bill_day, due_at,
            coalesce(lag(due_at) over (order by bill_day), '-infinity') as since
        from bill_days
        where tenant_key = :tenant_key and bill_day between :first_day - 1 and :last_day
    ),

    versions as (
        select subscription_key, known_from, known_until
        from subscription_changes where tenant_key = :tenant_key
        union all
        select subscription_key, known_from, known_until
        from subscription_discounts where tenant_key = :tenant_key
        union all
        select subscription_key, known_from, known_until
        from agreed_prices where tenant_key = :tenant_key
    ),

    moments as (
        select account_key, known_from as moment, false as is_approved
        from subscriptions where tenant_key = :tenant_key
        union all
        select account_key, known_until, false
        from subscriptions where tenant_key = :tenant_key and known_until is not null
        union all
        select subscriptions.account_key, moments.moment, false
        from versions
        cross join lateral (
            values (versions.known_from), (versions.known_until)
        ) as moments (moment)
        inner join subscriptions
            on subscriptions.tenant_key = :tenant_key
            and subscriptions.subscription_key = versions.subscription_key
        union all
        select split_part(subject, '/', 1), decided_at, true
        from approvals
        where tenant_key = :tenant_key and kind = :approved and state = 'approved'
    )

    select windows.bill_day, moments.account_key, bool_or(moments.is_approved) as is_approved
    from windows
    inner join moments on moments.moment > windows.since and moments.moment <= windows.due_at
    where windows.bill_day between :first_day and :last_day
    group by windows.bill_day, moments.account_key
""").columns(bill_day=sa.Date(), account_key=sa.Text(), is_approved=sa.Boolean())


def restated_accounts(
    connection: sa.Connection, tenant_key: str, first_day: dt.date, last_day: dt.date
) -> pl.DataFrame:
    """RESTATED of the bill days from first to last, both included."""
    bound = _RESTATED.bindparams(
        sa.bindparam("first_day", first_day, sa.Date()),
        sa.bindparam("last_day", last_day, sa.Date()),
        tenant_key=tenant_key,
        approved=APPROVED_ACCOUNT,
    )
    return copy_out(connection, sa.select(bound.subquery()), RESTATED).sort(
        "bill_day", "account_key"
    )
