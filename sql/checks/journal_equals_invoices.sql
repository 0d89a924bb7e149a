-- Every document is booked once: receivable its total, revenue its net, tax its tax.
with booked as (
    select
        tenant_key,
        source_key as invoice_number,
        count(distinct entry_number) as entries,
        coalesce(sum(amount_minor) filter (where role = 'receivable'), 0) as receivable_minor,
        coalesce(-sum(amount_minor) filter (where role in ('revenue', 'deferred_revenue', 'discount')), 0) as net_minor,
        coalesce(-sum(amount_minor) filter (where role = 'tax'), 0) as tax_minor
    from journal_entries
    inner join postings using (tenant_key, entry_number)
    where posting_rule in ('invoice', 'credit_note')
    group by tenant_key, source_key
)

select
    tenant_key,
    invoice_number as subject,
    format(
        'the document says net %s, tax %s, total %s; %s journal entries say %s, %s and %s. Hold the hand-off; book the difference by a reversal and a new entry.',
        coalesce(invoices.net_minor::text, 'nothing'), coalesce(invoices.tax_minor::text, 'nothing'),
        coalesce(invoices.total_minor::text, 'nothing'), coalesce(booked.entries, 0),
        coalesce(booked.net_minor::text, 'nothing'), coalesce(booked.tax_minor::text, 'nothing'),
        coalesce(booked.receivable_minor::text, 'nothing')
    ) as message
from invoices
full join booked using (tenant_key, invoice_number)
where booked.entries <> 1
    or invoices.total_minor is distinct from coalesce(booked.receivable_minor, 0)
    or invoices.net_minor is distinct from coalesce(booked.net_minor, 0)
    or invoices.tax_minor is distinct from coalesce(booked.tax_minor, 0)
