-- Revenue of every tenant below a tenant, by month, product and currency: the roll-up in its parts.
create view revenue_by_member with (security_invoker = true) as
with recursive below (tenant_key, member_key) as (
    select tenants.tenant_key, tenants.tenant_key as member_key from tenants
    union
    select below.tenant_key, tenants.tenant_key as member_key
    from below
    inner join tenants on below.member_key = tenants.parent_key
)

select
    below.tenant_key,
    below.member_key,
    revenue.month,
    revenue.product_key,
    revenue.currency,
    revenue.documents,
    revenue.revenue_minor,
    revenue.revenue
from below
inner join revenue on below.member_key = revenue.tenant_key;
