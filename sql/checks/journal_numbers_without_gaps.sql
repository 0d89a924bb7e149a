-- Journal entries of a tenant are numbered 1, 2, 3 ... up to the last number allotted.
with booked as (
    select tenant_key, count(*) as entries, max(entry_number) as last_number
    from journal_entries group by tenant_key
)

select
    tenant_key,
    'journal' as subject,
    format(
        '%s numbers allotted, %s entries booked, the highest is %s. Find the missing entry before the next hand-off.',
        coalesce(journal_series.last_number, 0), coalesce(booked.entries, 0), coalesce(booked.last_number, 0)
    ) as message
from journal_series
full join booked using (tenant_key)
where coalesce(journal_series.last_number, 0) <> coalesce(booked.entries, 0)
    or coalesce(journal_series.last_number, 0) <> coalesce(booked.last_number, 0)
