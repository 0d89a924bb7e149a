-- Revenue of a tenant and of everyone below it, by month, product category and currency.
-- Products without a category are summed in a row that has none; a brand's own names are its own.
create view revenue_by_category with (security_invoker = true) as
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
    gathered.category,
    min(gathered.category_name) as category_name,
    revenue.currency,
    count(distinct revenue.tenant_key) as tenants,
    sum(revenue.revenue_minor) as revenue_minor,
    major_amount(sum(revenue.revenue_minor), revenue.currency) as revenue
from below
inner join revenue on below.member_key = revenue.tenant_key
left join lateral product_category(revenue.tenant_key, revenue.product_key) as gathered on true
group by below.tenant_key, revenue.month, gathered.category, revenue.currency;
