-- Net invoiced per account and month beside the month before: sort by change for the top movers.
create view account_movements with (security_invoker = true) as
with months as (
    select
        tenant_key, account_key, currency, date_trunc('month', bill_day)::date as month,
        sum(net_minor) as net_minor
    from invoices
    group by tenant_key, account_key, currency, month
)

select
    months.*,
    before.net_minor as previous_net_minor,
    months.net_minor - coalesce(before.net_minor, 0) as change_minor
from months
left join months as before
    on months.tenant_key = before.tenant_key
    and months.account_key = before.account_key
    and months.currency = before.currency
    and months.month = before.month + interval '1 month';
