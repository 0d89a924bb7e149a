-- 0002 Catalog: what tenants configured, every row with valid time and known time.
-- Why versions: "what did we believe on the day we invoiced" must have an answer, so nothing is
-- overwritten. A revision closes `known_until` of rows that changed or vanished and adds new ones.
-- Why triggers for overlap: exclusion constraints would need the extension btree_gist.

create table catalog_revisions (
    tenant_key text        not null references tenants,
    revision   integer     not null check (revision > 0),
    applied_at timestamptz not null,
    applied_by text        not null,
    added      integer     not null,
    changed    integer     not null,
    removed    integer     not null,
    primary key (tenant_key, revision)
);

create table catalog_entries (
    tenant_key   text        not null,
    kind         text        not null,  -- tenant, product, plan, tax_rate, feed ...
    entry_key    text        not null,
    valid_from   date        not null default '-infinity',
    valid_until  date        not null default 'infinity',
    document     jsonb       not null,
    content_hash text        not null,
    revision     integer     not null,
    known_from   timestamptz not null,
    known_until  timestamptz,
    primary key (tenant_key, kind, entry_key, valid_from, revision),
    foreign key (tenant_key, revision) references catalog_revisions,
    check (valid_from < valid_until),
    check (known_from <= known_until)
);

create table accounts (
    tenant_key         text        not null,
    account_key        text        not null,
    name               text        not null,
    account_type       text        not null,
    payer_key          text        not null,
    parent_key         text,
    currency           text        not null check (currency ~ '^[A-Z]{3}$'),
    opened_on          date        not null,
    closed_on          date,
    payment_terms_days bigint      not null,
    language           text        not null,
    street             text        not null,
    city               text        not null,
    postal_code        text        not null,
    region             text,
    country            text        not null,
    vat_number         text,
    email              text,
    agent              text,
    revision           integer     not null,
    known_from         timestamptz not null,
    known_until        timestamptz,
    primary key (tenant_key, account_key, revision),
    check (known_from <= known_until)
);

create table subscriptions (
    tenant_key       text            not null,
    subscription_key text            not null,
    account_key      text            not null,
    plan_key         text            not null,
    quantity         numeric(38, 10) not null,
    started_on       date            not null,
    ended_on         date,
    discount_key     text,
    label            text,
    revision         integer         not null,
    known_from       timestamptz     not null,
    known_until      timestamptz,
    primary key (tenant_key, subscription_key, revision),
    check (known_from <= known_until)
);

create table service_identifiers (
    tenant_key       text        not null,
    identifier       text        not null,
    subscription_key text        not null,
    valid_from       timestamptz not null,
    valid_until      timestamptz,
    revision         integer     not null,
    known_from       timestamptz not null,
    known_until      timestamptz,
    primary key (tenant_key, identifier, valid_from, revision),
    check (valid_from < valid_until),
    check (known_from <= known_until)
);

create table rate_card_prices (
    tenant_key      text            not null,
    card_key        text            not null,
    valid_from      date            not null,
    valid_until     date,
    prefix          text            not null,
    band            text            not null,
    name            text            not null,
    unit_price      numeric(38, 10),
    connection_fee  numeric(38, 10) not null,
    minimum_units   numeric(38, 10) not null,
    increment_units numeric(38, 10) not null,
    revision        integer         not null,
    known_from      timestamptz     not null,
    known_until     timestamptz,
    primary key (tenant_key, card_key, prefix, band, valid_from, revision),
    check (valid_from < valid_until),
    check (known_from <= known_until)
);

-- One currently known row per key; the same indexes find a row's neighbours in valid time.
create unique index catalog_entries_known on catalog_entries
(tenant_key, kind, entry_key, valid_from) where known_until is null;
create unique index accounts_known on accounts
(tenant_key, account_key) where known_until is null;
create unique index subscriptions_known on subscriptions
(tenant_key, subscription_key) where known_until is null;
create unique index service_identifiers_known on service_identifiers
(identifier, valid_from, tenant_key) where known_until is null;
create unique index rate_card_prices_known on rate_card_prices
(tenant_key, card_key, prefix, band, valid_from) where known_until is null;
create index subscriptions_started on subscriptions
(tenant_key, started_on) where known_until is null;

create function assert_only_closed() returns trigger language plpgsql as $$
declare
    closed_at timestamptz := new.known_until;
begin
    new.known_until := null;
    if closed_at is null or new is distinct from old then
        raise exception '% keeps its versions: a known row can only be closed', tg_table_name
            using errcode = 'restrict_violation';
    end if;
    new.known_until := closed_at;
    return new;
end $$;

create function assert_one_catalog_entry() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if exists (
        select from catalog_entries as mine
        inner join catalog_entries as other using (tenant_key, kind, entry_key)
        where (mine.tenant_key, mine.kind, mine.entry_key, mine.valid_from, mine.revision)
            = (new.tenant_key, new.kind, new.entry_key, new.valid_from, new.revision)
            and mine.known_until is null and other.known_until is null
            and mine.valid_from <> other.valid_from
            and mine.valid_from < other.valid_until and other.valid_from < mine.valid_until
    ) then
        raise exception 'overlapping validity of % % from %', new.kind, new.entry_key, new.valid_from
            using errcode = 'exclusion_violation';
    end if;
    return null;
end $$;

create function assert_one_rate_card_price() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if exists (
        select from rate_card_prices as mine
        inner join rate_card_prices as other using (tenant_key, card_key, prefix, band)
        where (mine.tenant_key, mine.card_key, mine.prefix, mine.band, mine.valid_from, mine.revision)
            = (new.tenant_key, new.card_key, new.prefix, new.band, new.valid_from, new.revision)
            and mine.known_until is null and other.known_until is null
            and mine.valid_from <> other.valid_from
            and mine.valid_from < coalesce(other.valid_until, 'infinity')
            and other.valid_from < coalesce(mine.valid_until, 'infinity')
    ) then
        raise exception 'overlapping prices of card % prefix % band "%" from %',
            new.card_key, new.prefix, new.band, new.valid_from
            using errcode = 'exclusion_violation';
    end if;
    return null;
end $$;

-- Brands of one company share feeds, so an identifier has one owner inside the whole company.
create function assert_one_owner_of_identifier() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    other_owner record;
begin
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

create constraint trigger catalog_entries_do_not_overlap after insert on catalog_entries
deferrable initially deferred for each row execute function assert_one_catalog_entry();
create constraint trigger rate_card_prices_do_not_overlap after insert on rate_card_prices
deferrable initially deferred for each row execute function assert_one_rate_card_price();
create constraint trigger service_identifiers_have_one_owner after insert on service_identifiers
deferrable initially deferred for each row execute function assert_one_owner_of_identifier();


do $$
declare
    versioned text;
begin
    foreach versioned in array array[
        'catalog_entries', 'accounts', 'subscriptions', 'service_identifiers', 'rate_card_prices'
    ] loop
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

call isolate_tenants('catalog_revisions');
call make_append_only('catalog_revisions');
grant insert on catalog_revisions to billing_app, billing_operator;

call run_as_operator('assert_one_catalog_entry()');
call run_as_operator('assert_one_rate_card_price()');
call run_as_operator('assert_one_owner_of_identifier()');
