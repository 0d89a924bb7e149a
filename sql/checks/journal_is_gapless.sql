-- Journal entries are numbered from 1 without gaps.
select
    series.tenant_key,
    series.last_number,
    count(entries.entry_number) as entries,
    max(entries.entry_number) as highest
from journal_series as series
left join journal_entries as entries using (tenant_key)
group by series.tenant_key, series.last_number
having
    count(entries.entry_number) <> series.last_number
    or coalesce(max(entries.entry_number), 0) <> series.last_number
