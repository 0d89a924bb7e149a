-- 0010 Statistics: the planner must know a table before the next statement reads what was just
-- loaded. Why not wait for autovacuum: it comes a minute later, and a bill run reads at once.
-- Why security definer: only a table's owner may analyse it.

-- Skips a table that another transaction analyses, so nobody waits and nothing deadlocks.
create function refresh_statistics(of_table regclass) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    execute format('analyze (skip_locked) %s', of_table);
end $$;

-- An index on (tenant_key, started_on) looks as good as the key's to a planner without statistics,
-- and then reads all of a tenant's subscriptions for each one.
drop index subscriptions_started;

-- Lines lead to charges by charge and posting number; nobody looks charges up by line.
drop index charges_by_invoice;

-- As before, but a company's tree is only walked for an identifier that has another owner at all.
create or replace function assert_one_owner_of_identifier() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    other_owner record;
begin
    perform from service_identifiers as other
    where other.identifier = new.identifier and other.known_until is null
        and (other.tenant_key, other.valid_from) <> (new.tenant_key, new.valid_from);
    if not found then
        return null;
    end if;
    select other.tenant_key, other.subscription_key into other_owner
    from service_identifiers as mine
    inner join service_identifiers as other using (identifier)
    where (mine.tenant_key, mine.identifier, mine.valid_from, mine.revision)
        = (new.tenant_key, new.identifier, new.valid_from, new.revision)
        and mine.known_until is null and other.known_until is null
        and (mine.tenant_key, mine.valid_from) <> (other.tenant_key, other.valid_from)
        and mine.valid_from < coalesce(other.valid_until, 'infinity')
        and other.valid_from < coalesce(mine.valid_until, 'infinity')
        and other.tenant_key in (
            select tenant_subtree(root.tenant_key)
            from tenants as root
            where root.parent_key is null
                and root.tenant_key in (select tenant_lineage(mine.tenant_key))
        )
    limit 1;
    if found then
        raise exception 'identifier % belongs to subscription % of tenant % at the same time',
            new.identifier, other_owner.subscription_key, other_owner.tenant_key
            using errcode = 'exclusion_violation';
    end if;
    return null;
end $$;
