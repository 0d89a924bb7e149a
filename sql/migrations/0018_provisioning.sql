-- 0018 Provisioning: an outbox of what changed about subscriptions, for the systems that serve them.
-- Why an outbox: an event is emitted in the transaction that finds it, once, and stays until it is
-- acknowledged; other systems read at their own pace.

create table provisioning_events (
    tenant_key       text            not null references tenants,
    event_number     bigint          not null generated always as identity,
    subscription_key text            not null,
    account_key      text            not null,
    what             text            not null check (what in ('status', 'plan', 'quantity')),
    from_value       text,  -- null: the subscription begins
    to_value         text            not null,
    effective_on     date            not null,
    plan_key         text            not null,
    quantity         numeric(38, 10) not null,
    emitted_at       timestamptz     not null,
    acknowledged_at  timestamptz,
    acknowledged_by  text,
    primary key (tenant_key, event_number),
    check ((acknowledged_at is null) = (acknowledged_by is null))
);
create index provisioning_events_by_subscription on provisioning_events (tenant_key, subscription_key);
create index provisioning_events_waiting on provisioning_events (tenant_key, event_number)
where acknowledged_at is null;

-- An event says what it said; it can only be acknowledged, and only once.
create function assert_only_acknowledged() returns trigger language plpgsql as $$
begin
    if old.acknowledged_at is not null
        or (to_jsonb(new) - 'acknowledged_at' - 'acknowledged_by')
        is distinct from (to_jsonb(old) - 'acknowledged_at' - 'acknowledged_by') then
        raise exception 'provisioning event % can only be acknowledged, once', old.event_number
            using errcode = 'restrict_violation';
    end if;
    return new;
end $$;

create trigger provisioning_events_only_acknowledged before update on provisioning_events
for each row execute function assert_only_acknowledged();
create trigger provisioning_events_kept before delete or truncate on provisioning_events
for each statement execute function refuse_change();

call isolate_tenants('provisioning_events');
grant insert, update (acknowledged_at, acknowledged_by) on provisioning_events to billing_app, billing_operator;
