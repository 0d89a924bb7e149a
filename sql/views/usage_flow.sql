-- Per stage and day: what came in, what went on, and the share in suspense.
create view usage_flow with (security_invoker = true) as
select
    tenant_key,
    stage,
    partition_day,
    feed_key,
    records_in,
    accepted,
    duplicates,
    suspended,
    filtered,
    round(100.0 * suspended / nullif(records_in, 0), 2) as suspended_percent,
    quantity_in,
    quantity_out,
    records_in = accepted + duplicates + suspended + filtered and quantity_in = quantity_out as is_conserved
from conservation;
