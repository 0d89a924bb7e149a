-- What should have happened by itself, since when it waits, and what to do. Alerts are told from it.
create view overdue_work with (security_invoker = true) as
select
    tenant_key,
    'bill_day' as kind,
    bill_day::text as subject,
    due_at as since,
    coalesce(message, 'the bill run has not finished; look at its last run') as advice
from bill_days
where state <> 'completed'
union all
select
    tenant_key,
    'quarantined_file',
    feed_key || '/' || name,
    changed_at,
    coalesce(message, reason, 'the file could not be read as its feed says')
from usage_files
where state = 'quarantined'
union all
select
    tenant_key,
    'waiting_file',
    feed_key || '/' || name,
    landed_at,
    'the upload is registered but not loaded; is the daemon running?'
from usage_files
where state in ('landed', 'archived')
union all
select
    tenant_key,
    'usage_day',
    usage_day::text,
    changed_at,
    'the day has new usage and is not mediated; materialise mediated_usage for it'
from usage_days
where mediated < touched and masked_at is null
union all
select
    tenant_key,
    'rating_day',
    usage_day::text,
    changed_at,
    'usage or prices of the day changed and it is not rated; materialise rated_usage for it'
from rating_days
where rated < touched and masked_at is null
