"""Why a document corrects what was charged before: the facts that changed between two bill days."""

import polars as pl
import sqlalchemy as sa

from billing_pipeline.books.copy import copy_out
from billing_pipeline.vocabulary.frames import FrameSchema, optional, required
from billing_pipeline.vocabulary.money import AMOUNT, QUANTITY

CORRECTIONS = FrameSchema(
    name="corrections",
    grain="one row per line of a document that corrects an earlier posting",
    columns={
        "line_number": required(pl.Int64, "line of the document"),
        "charge_key": required(pl.String, "charge that is corrected"),
        "corrects_invoice": optional(pl.String, "document of its first posting"),
        "reason": required(pl.String, "increased, decreased or withdrawn"),
        "amount_before": required(AMOUNT, "what was charged before, major units"),
        "amount_after": required(AMOUNT, "what should be charged"),
        "quantity_before": required(QUANTITY, "quantity charged before"),
        "quantity_after": required(QUANTITY, "quantity that should be charged"),
        "events_before": required(pl.Int64, "rated events behind it before"),
        "events_after": required(pl.Int64, "rated events behind it now"),
    },
)

CHANGED_FACTS = FrameSchema(
    name="changed_facts",
    grain="one row per corrected charge and fact that changed since it was posted before",
    columns={
        "charge_key": required(pl.String, "charge that is corrected"),
        "what": required(pl.String, "kind of fact"),
        "fact": required(pl.String, "which one"),
        "before": optional(pl.String, "what was known; null: nothing"),
        "after": optional(pl.String, "what is known; null: it was taken back"),
    },
)

_CORRECTIONS = sa.text("""
    select
        now.line_number, now.charge_key, now.corrects_invoice, now.reason,
        before.amount as amount_before, now.amount as amount_after,
        before.quantity as quantity_before, now.quantity as quantity_after,
        before.events as events_before, now.events as events_after
    from charges as now
    inner join charges as before
        on before.tenant_key = now.tenant_key
        and before.charge_key = now.charge_key
        and before.posting_number = now.posting_number - 1
    where now.tenant_key = :tenant_key and now.invoice_number = :invoice_number
""").columns(
    line_number=sa.BigInteger(),
    charge_key=sa.Text(),
    corrects_invoice=sa.Text(),
    reason=sa.Text(),
    amount_before=sa.Numeric(38, 10),
    amount_after=sa.Numeric(38, 10),
    quantity_before=sa.Numeric(38, 10),
    quantity_after=sa.Numeric(38, 10),
    events_before=sa.BigInteger(),
    events_after=sa.BigInteger(),
)

# What became known after the bill day of the posting before, up to that of the correction.
_CHANGED = sa.text("""
    with spans as (
        select
            now.charge_key, now.subscription_key, now.price_key,
            since.completed_at as since, till.completed_at as till
        from charges as now
        inner join charges as before
            on before.tenant_key = now.tenant_key
            and before.charge_key = now.charge_key
            and before.posting_number = now.posting_number - 1
        inner join bill_days as since
            on since.tenant_key = now.tenant_key and since.bill_day = before.bill_day
        inner join bill_days as till
            on till.tenant_key = now.tenant_key and till.bill_day = now.bill_day
        where now.tenant_key = :tenant_key and now.invoice_number = :invoice_number
    ),

    versions as (
        select
            'subscription' as what, subscription_key, null as price_key, subscription_key as fact,
            known_from, known_until,
            concat_ws(
                ', ', plan_key, 'quantity ' || trim_scale(quantity),
                'from ' || started_on, 'until ' || ended_on
            ) as said
        from subscriptions where tenant_key = :tenant_key
        union all
        select
            'change', subscription_key, null, effective_on::text, known_from, known_until,
            concat_ws(', ', plan_key, 'quantity ' || trim_scale(quantity), status)
        from subscription_changes where tenant_key = :tenant_key
        union all
        select
            'discount', subscription_key, null, discount_key, known_from, known_until,
            concat_ws(', ', 'from ' || valid_from, 'until ' || valid_until)
        from subscription_discounts where tenant_key = :tenant_key
        union all
        select
            'agreed price', subscription_key, price_key, price_key, known_from, known_until,
            concat_ws(', ', trim_scale(amount), 'from ' || valid_from, 'until ' || valid_until)
        from agreed_prices where tenant_key = :tenant_key
        union all
        select
            'identifier', subscription_key, null, identifier, known_from, known_until,
            concat_ws(', ', 'from ' || valid_from, 'until ' || valid_until)
        from service_identifiers where tenant_key = :tenant_key
        union all
        select
            'price', null, split_part(entry_key, '/', 2), entry_key, known_from, known_until,
            coalesce(document ->> 'amount', 'its terms')
        from catalog_entries where tenant_key = :tenant_key and kind = 'price'
    )

    select
        spans.charge_key, versions.what, versions.fact,
        string_agg(versions.said, '; ' order by versions.said)
        filter (
            where versions.known_until > spans.since and versions.known_until <= spans.till
        ) as before,
        string_agg(versions.said, '; ' order by versions.said)
        filter (
            where versions.known_from > spans.since
            and versions.known_from <= spans.till
            and coalesce(versions.known_until > spans.till, true)
        ) as after
    from spans
    inner join versions
        on (versions.known_from > spans.since and versions.known_from <= spans.till)
        or (versions.known_until > spans.since and versions.known_until <= spans.till)
    where
        coalesce(versions.subscription_key = spans.subscription_key, true)
        and coalesce(versions.price_key = spans.price_key, true)
    group by spans.charge_key, versions.what, versions.fact
""").columns(
    charge_key=sa.Text(), what=sa.Text(), fact=sa.Text(), before=sa.Text(), after=sa.Text()
)


def read_corrections(
    connection: sa.Connection, tenant_key: str, invoice_number: str
) -> pl.DataFrame:
    """CORRECTIONS of a document, by line."""
    bound = _CORRECTIONS.bindparams(tenant_key=tenant_key, invoice_number=invoice_number)
    return copy_out(connection, sa.select(bound.subquery()), CORRECTIONS).sort("line_number")


def read_changed_facts(
    connection: sa.Connection, tenant_key: str, invoice_number: str
) -> pl.DataFrame:
    """CHANGED_FACTS behind the corrections of a document; usage shows in their quantities."""
    bound = _CHANGED.bindparams(tenant_key=tenant_key, invoice_number=invoice_number)
    return copy_out(connection, sa.select(bound.subquery()), CHANGED_FACTS).sort(
        "charge_key", "what", "fact"
    )
