-- 0001 Tenants: who keeps books here, the roles that may touch them, and whose rows each sees.
-- Why roles apart from the owner: a table's owner can do anything to it; the program must not.
-- Why security definer: a role that may see only its subtree cannot look up the subtree itself.

-- Roles belong to the server, not to this database; another database may be making them right now.
do $$
declare
    role_name text;
begin
    foreach role_name in array array['billing_app', 'billing_operator', 'billing_reader'] loop
        begin
            execute format('create role %I nologin nobypassrls', role_name);
        exception when duplicate_object or unique_violation then
            null;
        end;
        if not pg_has_role(current_user, role_name, 'set') then
            execute format('grant %I to current_user with set true', role_name);
        end if;
    end loop;
    execute format('grant temporary on database %I to billing_app, billing_operator, billing_reader', current_database());
end $$;

revoke create on schema public from public;
grant usage on schema public to billing_app, billing_operator, billing_reader;

create table tenants (
    tenant_key text        not null primary key check (tenant_key <> ''),
    parent_key text        references tenants deferrable initially deferred,
    name       text        not null,
    kind       text        not null,
    currency   text        not null check (currency ~ '^[A-Z]{3}$'),
    time_zone  text        not null,
    bill_hour  smallint    not null check (bill_hour between 0 and 23),
    document   jsonb       not null,  -- tenant.yaml as applied last; its history is in catalog_entries
    revision   integer     not null,
    check (parent_key <> tenant_key)
);

create index tenants_by_parent on tenants (parent_key);

-- The current tenant and everyone below it. `union` ends the walk should the tree ever be a ring.
create function visible_tenants() returns setof text
language sql stable security definer parallel safe set search_path = public, pg_temp as $$
    with recursive subtree (tenant_key) as (
        select tenants.tenant_key from tenants
        where tenants.tenant_key = current_setting('billing.tenant', true)
        union
        select tenants.tenant_key from tenants
        inner join subtree on tenants.parent_key = subtree.tenant_key
    )

    select subtree.tenant_key from subtree
$$;

-- A tenant and everyone above it: the owners of feeds that may carry its usage.
create function tenant_lineage(of_tenant text) returns setof text
language sql stable security definer parallel safe set search_path = public, pg_temp as $$
    with recursive lineage (tenant_key, parent_key) as (
        select tenants.tenant_key, tenants.parent_key from tenants
        where tenants.tenant_key = of_tenant
        union
        select tenants.tenant_key, tenants.parent_key from tenants
        inner join lineage on tenants.tenant_key = lineage.parent_key
    )

    select lineage.tenant_key from lineage
$$;

-- A tenant and everyone below it, whoever asks.
create function tenant_subtree(of_tenant text) returns setof text
language sql stable security definer parallel safe set search_path = public, pg_temp as $$
    with recursive subtree (tenant_key) as (
        select tenants.tenant_key from tenants where tenants.tenant_key = of_tenant
        union
        select tenants.tenant_key from tenants
        inner join subtree on tenants.parent_key = subtree.tenant_key
    )

    select subtree.tenant_key from subtree
$$;

create function assert_tenants_are_a_tree() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if not exists (
        select from tenants
        where tenant_key in (select tenant_lineage(new.tenant_key)) and parent_key is null
    ) then
        raise exception 'tenant % is its own ancestor', new.tenant_key
            using errcode = 'check_violation';
    end if;
    return null;
end $$;

create constraint trigger tenants_are_a_tree after insert or update of parent_key on tenants
    deferrable initially deferred for each row execute function assert_tenants_are_a_tree();

-- The operator sees all tenants by policy; functions that must look across tenants run as it.
create procedure run_as_operator(of_function regprocedure) language plpgsql as $$
begin
    grant create on schema public to billing_operator;
    execute format('alter function %s owner to billing_operator', of_function);
    revoke create on schema public from billing_operator;
end $$;

call run_as_operator('visible_tenants()');
call run_as_operator('tenant_lineage(text)');
call run_as_operator('tenant_subtree(text)');
call run_as_operator('assert_tenants_are_a_tree()');

-- Called once for every tenant table: isolation that even the owner cannot skip.
create procedure isolate_tenants(tenant_table regclass) language plpgsql as $$
begin
    execute format('alter table %s enable row level security', tenant_table);
    execute format('alter table %s force row level security', tenant_table);
    execute format(
        'create policy %I on %s to billing_app, billing_reader using (tenant_key in (select visible_tenants()))',
        tenant_table || '_of_visible_tenants', tenant_table
    );
    execute format(
        'create policy %I on %s to billing_operator using (true)',
        tenant_table || '_of_all_tenants', tenant_table
    );
    execute format('grant select on %s to billing_app, billing_operator, billing_reader', tenant_table);
end $$;

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only: % is refused', tg_table_name, lower(tg_op)
        using errcode = 'restrict_violation';
end $$;

-- Called for every table whose rows are evidence: no role changes or removes one, the owner included.
create procedure make_append_only(evidence regclass) language plpgsql as $$
begin
    execute format(
        'create trigger %I before update or delete or truncate on %s for each statement execute function refuse_change()',
        evidence || '_append_only', evidence
    );
end $$;

call isolate_tenants('tenants');
grant insert, update on tenants to billing_app, billing_operator;
grant select on schema_migrations to billing_app, billing_operator, billing_reader;
