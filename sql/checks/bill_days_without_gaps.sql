-- From a tenant's first bill day on, every local day is there.
with ordered as (
    select
        tenant_key, bill_day,
        lag(bill_day) over (partition by tenant_key order by bill_day) as day_before
    from bill_days
)

select
    tenant_key,
    bill_day::text as subject,
    format(
        'the day billed before is %s: the days between were skipped. Add them to bill_days and run them.',
        day_before
    ) as message
from ordered
where bill_day - day_before > 1
