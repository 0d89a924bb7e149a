-- How many usage files are in which state, per feed and landing day.
create view usage_file_states with (security_invoker = true) as
select
    tenant_key,
    feed_key,
    landing_day,
    state,
    count(*) as files,
    coalesce(sum(records), 0)::bigint as records,
    coalesce(sum(suspended), 0)::bigint as suspended
from usage_files
group by tenant_key, feed_key, landing_day, state
