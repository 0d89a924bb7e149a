-- 0032 Product categories: what a tenant gathers its products under, where reports roll revenue up.
-- Why a function that sees all tenants: a product may be inherited from a tenant above, whose rows a
-- tenant cannot see; of tenants that are not the caller's it says nothing. Why today's category: it is how products are looked at, not what was booked.

create function product_category(of_tenant text, of_product text)
returns table (category text, category_name text)
language sql stable security definer set search_path = public, pg_temp as $$
    with recursive sells (tenant_key, parent_key, inherits, level) as (
        select
            tenants.tenant_key, tenants.parent_key,
            coalesce((tenants.document ->> 'inherits_catalog')::boolean, false), 0
        from tenants
        where tenants.tenant_key = of_tenant
            and (
                tenants.tenant_key in (select visible_tenants())
                -- Whoever may be the operator sees all tenants; `role` is the caller's, not ours.
                or pg_has_role(
                    coalesce(nullif(current_setting('role'), 'none'), session_user),
                    'billing_operator', 'usage'
                )
            )
        union all
        select
            tenants.tenant_key, tenants.parent_key,
            coalesce((tenants.document ->> 'inherits_catalog')::boolean, false), sells.level + 1
        from tenants inner join sells on tenants.tenant_key = sells.parent_key and sells.inherits
    ),

    entries as (
        select entry.kind, entry.entry_key, entry.document, sells.level
        from catalog_entries as entry inner join sells on entry.tenant_key = sells.tenant_key
        where entry.known_until is null and entry.kind in ('product', 'product_category')
    ),

    product as (
        select entries.document ->> 'category' as category
        from entries where entries.kind = 'product' and entries.entry_key = of_product
        order by entries.level limit 1
    )

    select product.category, (
        select entries.document ->> 'name'
        from entries where entries.kind = 'product_category' and entries.entry_key = product.category
        order by entries.level limit 1
    )
    from product
    where product.category is not null
$$;
call run_as_operator('product_category(text, text)');
