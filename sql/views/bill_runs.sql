-- Every bill run beside the one before: documents, amounts, change.
create view bill_runs with (security_invoker = true) as
with runs as (
    select
        tenant_key, bill_day, currency,
        count(*) filter (where document_kind = 'invoice') as invoices,
        count(*) filter (where document_kind = 'credit_note') as credit_notes,
        sum(net_minor) as net_minor,
        sum(total_minor) as total_minor
    from invoices
    group by tenant_key, bill_day, currency
)

select
    *,
    lag(bill_day) over earlier as previous_bill_day,
    lag(net_minor) over earlier as previous_net_minor,
    net_minor - lag(net_minor) over earlier as change_minor,
    round(100 * (net_minor - lag(net_minor) over earlier) / nullif(lag(net_minor) over earlier, 0), 1)
        as change_percent
from runs
window earlier as (partition by tenant_key, currency order by bill_day);
