-- Per format: how far the journal has been handed over and what waits.
create view handoff_status with (security_invoker = true) as
select
    handoff_batches.tenant_key,
    handoff_batches.format_name,
    count(*) as batches,
    count(*) filter (where handoff_batches.exported_at is null) as open_batches,
    max(handoff_batches.last_entry) filter (where handoff_batches.exported_at is not null) as last_entry_exported,
    max(journal_series.last_number) as last_entry_booked,
    max(journal_series.last_number)
    - coalesce(max(handoff_batches.last_entry) filter (where handoff_batches.exported_at is not null), 0)
        as entries_waiting,
    max(handoff_batches.exported_at) as last_exported_at
from handoff_batches
inner join journal_series using (tenant_key)
group by handoff_batches.tenant_key, handoff_batches.format_name;
