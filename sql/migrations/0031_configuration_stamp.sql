-- 0031 Configuration stamp: one number that changes whenever any tenant's configuration does.
-- Why over all tenants: what a tenant sells may stand with the tenants above it, which it cannot see.

create function configuration_stamp() returns bigint
language sql stable security definer set search_path = public, pg_temp as $$
    select coalesce(sum(tenants.revision), 0)::bigint from tenants
$$;
call run_as_operator('configuration_stamp()');
