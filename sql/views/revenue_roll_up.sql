-- Revenue of a tenant and of everyone below it: a company sees its brands and resellers summed.
create view revenue_roll_up with (security_invoker = true) as
with recursive below (tenant_key, member_key) as (
    select tenants.tenant_key, tenants.tenant_key as member_key from tenants
    union
    select below.tenant_key, tenants.tenant_key as member_key
    from below
    inner join tenants on below.member_key = tenants.parent_key
)

select
    below.tenant_key,
    revenue.month,
    revenue.currency,
    count(distinct revenue.tenant_key) as tenants,
    sum(revenue.revenue_minor) as revenue_minor,
    major_amount(sum(revenue.revenue_minor), revenue.currency) as revenue
from below
inner join revenue as revenue on below.member_key = revenue.tenant_key
group by below.tenant_key, revenue.month, revenue.currency;
