-- 0016 Subscription terms: what changes about a subscription after it started, with known time.
-- Why versions: a change entered late, or taken back, must be seen by the next bill run, and what
-- was known on the day of an invoice must stay known.

create table subscription_changes (
    tenant_key       text        not null,
    subscription_key text        not null,
    effective_on     date        not null,
    plan_key         text,
    quantity         numeric(38, 10),
    status           text check (status in ('active', 'suspended', 'cancelled')),
    revision         integer     not null,
    known_from       timestamptz not null,
    known_until      timestamptz,
    primary key (tenant_key, subscription_key, effective_on, revision),
    check (known_from <= known_until)
);

create table subscription_discounts (
    tenant_key       text        not null,
    subscription_key text        not null,
    discount_key     text        not null,
    valid_from       date        not null,
    valid_until      date,
    revision         integer     not null,
    known_from       timestamptz not null,
    known_until      timestamptz,
    primary key (tenant_key, subscription_key, discount_key, valid_from, revision),
    check (valid_from < valid_until),
    check (known_from <= known_until)
);

create table agreed_prices (
    tenant_key       text            not null,
    subscription_key text            not null,
    price_key        text            not null,
    amount           numeric(38, 10) not null,
    valid_from       date            not null,
    valid_until      date,
    revision         integer         not null,
    known_from       timestamptz     not null,
    known_until      timestamptz,
    primary key (tenant_key, subscription_key, price_key, valid_from, revision),
    check (valid_from < valid_until),
    check (known_from <= known_until)
);

create unique index subscription_changes_known on subscription_changes
(tenant_key, subscription_key, effective_on) where known_until is null;
create unique index subscription_discounts_known on subscription_discounts
(tenant_key, subscription_key, discount_key, valid_from) where known_until is null;
create unique index agreed_prices_known on agreed_prices
(tenant_key, subscription_key, price_key, valid_from) where known_until is null;

-- Bill runs ask what became known since the day before.
create index subscriptions_by_known_from on subscriptions (tenant_key, known_from);
create index subscriptions_by_known_until on subscriptions (tenant_key, known_until)
where known_until is not null;

do $$
declare
    versioned text;
begin
    foreach versioned in array array['subscription_changes', 'subscription_discounts', 'agreed_prices'] loop
        call isolate_tenants(versioned);
        execute format('grant insert, update (known_until) on %I to billing_app, billing_operator', versioned);
        execute format(
            'create trigger %I before update on %I for each row execute function assert_only_closed()',
            versioned || '_only_closed', versioned
        );
        execute format(
            'create trigger %I before delete or truncate on %I for each statement execute function refuse_change()',
            versioned || '_kept', versioned
        );
    end loop;
end $$;
