-- 0024 People: logins of persons and tools, each bound to what it may see and do.
-- Why a binding by login: a setting can be changed by whoever is logged in, a login's name cannot.

do $$
begin
    begin
        create role billing_finance nologin nobypassrls;
    exception when duplicate_object or unique_violation then
        null;
    end;
    if not pg_has_role(current_user, 'billing_finance', 'set') then
        grant billing_finance to current_user with set true;
    end if;
    execute format('grant temporary on database %I to billing_finance', current_database());
end $$;

grant usage on schema public to billing_finance;

create table people (
    role_name  text        not null primary key check (role_name !~ '^(billing_|pg_)'),
    kind       text        not null check (kind in ('operator', 'finance', 'reader')),
    tenant_key text        references tenants,  -- sees it and everyone below it; null: everyone
    granted_at timestamptz not null default clock_timestamp(),
    granted_by text        not null check (granted_by <> ''),
    check (kind <> 'reader' or tenant_key is not null),
    check (kind <> 'operator' or tenant_key is null)
);

-- The tenant a login is bound to; null for logins of the installation itself.
create function bound_tenant() returns text
language sql stable security definer parallel safe set search_path = public, pg_temp as $$
    select people.tenant_key from people where people.role_name = session_user
$$;

call run_as_operator('bound_tenant()');
grant select on people to billing_operator;

-- As before for the program; a bound login starts at its own tenant and never leaves its subtree.
create or replace function visible_tenants() returns setof text
language sql stable security definer parallel safe set search_path = public, pg_temp as $$
    with recursive subtree (tenant_key) as (
        select tenants.tenant_key from tenants
        where tenants.tenant_key
            = coalesce(nullif(current_setting('billing.tenant', true), ''), bound_tenant())
        union
        select tenants.tenant_key from tenants
        inner join subtree on tenants.parent_key = subtree.tenant_key
    )

    select subtree.tenant_key from subtree
    where bound_tenant() is null
        or subtree.tenant_key in (select tenant_subtree(bound_tenant()))
$$;

-- Finance sees what readers see, in tables of today and of later migrations.
create or replace procedure isolate_tenants(tenant_table regclass) language plpgsql as $$
begin
    execute format('alter table %s enable row level security', tenant_table);
    execute format('alter table %s force row level security', tenant_table);
    execute format(
        'create policy %I on %s to billing_app, billing_reader, billing_finance using (tenant_key in (select visible_tenants()))',
        tenant_table || '_of_visible_tenants', tenant_table
    );
    execute format(
        'create policy %I on %s to billing_operator using (true)',
        tenant_table || '_of_all_tenants', tenant_table
    );
    execute format(
        'grant select on %s to billing_app, billing_operator, billing_reader, billing_finance', tenant_table
    );
end $$;

do $$
declare
    policy record;
begin
    for policy in
        select pg_policies.tablename, pg_policies.policyname from pg_policies
        where pg_policies.schemaname = 'public' and pg_policies.policyname like '%\_of\_visible\_tenants'
    loop
        execute format(
            'alter policy %I on %I to billing_app, billing_reader, billing_finance', policy.policyname, policy.tablename
        );
        execute format('grant select on %I to billing_finance', policy.tablename);
    end loop;
end $$;

grant select on schema_migrations to billing_finance;
-- What finance decides: periods, approvals, findings; each with a line in the log.
grant insert on audit_log to billing_finance;
grant update (state, decided_at, decided_by, decision_note) on approvals to billing_finance;
grant insert, update (state, changed_at, changed_by) on fiscal_periods to billing_finance;
grant update on findings to billing_finance;
