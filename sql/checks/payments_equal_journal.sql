-- Every payment and every debt given up is booked once, with its amount.
with booked as (
    select
        tenant_key,
        source_key as payment_key,
        posting_rule as kind,
        coalesce(-sum(amount_minor) filter (where role = 'receivable'), 0) as amount_minor
    from journal_entries
    inner join postings using (tenant_key, entry_number)
    where posting_rule in ('payment', 'write_off')
    group by tenant_key, source_key, posting_rule
)

select
    tenant_key,
    payment_key as subject,
    format(
        'the payments say %s, the journal says %s minor units. Book the difference by a reversal and a new entry.',
        coalesce(payments.amount_minor::text, 'nothing'), coalesce(booked.amount_minor::text, 'nothing')
    ) as message
from payments
full join booked using (tenant_key, payment_key, kind)
where payments.amount_minor is distinct from booked.amount_minor
