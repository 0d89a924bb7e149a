-- 0006 Journal: append-only double-entry postings. Debits are positive, credits negative.
-- Why a deferred trigger: an entry balances only once all its postings are in.
-- Why hand-off by ranges: entries are numbered without gaps, so "exported exactly once" is
-- "batches of a format follow each other without gap or overlap".

create table journal_series (
    tenant_key  text   not null primary key references tenants,
    last_number bigint not null
);

create table journal_entries (
    tenant_key   text        not null references tenants,
    entry_number bigint      not null,
    entry_key    text        not null,
    posting_rule text        not null,
    source_key   text        not null,
    account_key  text,
    booked_date  date        not null,
    currency     text        not null,
    narration    text        not null,
    booked_at    timestamptz not null default clock_timestamp(),
    booked_in    xid8        not null default pg_current_xact_id(),
    primary key (tenant_key, entry_number),
    constraint journal_entries_booked_once unique (tenant_key, posting_rule, source_key)
);

create table postings (
    tenant_key     text   not null,
    entry_number   bigint not null,
    posting_number bigint not null,
    ledger_account text   not null,
    role           text   not null,
    product_key    text,
    tax_code       text,
    tax_rate       numeric(9, 4),
    currency       text   not null,
    amount_minor   bigint not null check (amount_minor <> 0),
    primary key (tenant_key, entry_number, posting_number)
);

create function assert_booked_now() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if exists (
        select from (select distinct tenant_key, entry_number from added) as touched
        left join journal_entries using (tenant_key, entry_number)
        where journal_entries.booked_in is distinct from pg_current_xact_id()
    ) then
        raise exception 'postings can only be added in the transaction that books their entry'
            using errcode = 'restrict_violation';
    end if;
    return null;
end $$;

create trigger postings_booked_now after insert on postings
referencing new table as added for each statement execute function assert_booked_now();

create function assert_entry_balances() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if exists (
        select from postings
        where tenant_key = new.tenant_key and entry_number = new.entry_number
        group by currency having sum(amount_minor) <> 0
    ) then
        raise exception 'journal entry % does not balance', new.entry_number
            using errcode = 'check_violation';
    end if;
    return null;
end $$;

create constraint trigger postings_balance after insert on postings
deferrable initially deferred for each row execute function assert_entry_balances();

create function assert_entry_has_postings() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if not exists (
        select from postings
        where tenant_key = new.tenant_key and entry_number = new.entry_number
    ) then
        raise exception 'journal entry % has no postings', new.entry_number
            using errcode = 'check_violation';
    end if;
    return null;
end $$;

create constraint trigger journal_entries_have_postings after insert on journal_entries
deferrable initially deferred for each row execute function assert_entry_has_postings();

create function assert_no_entry_is_lost() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    counted_from bigint := 0;
    booked       bigint;
begin
    if tg_op = 'UPDATE' then
        counted_from := old.last_number;
    end if;
    select count(*) into booked from journal_entries
    where tenant_key = new.tenant_key
        and entry_number > counted_from and entry_number <= new.last_number;
    if booked <> new.last_number - counted_from then
        raise exception 'journal of %: % numbers allotted, % entries booked',
            new.tenant_key, new.last_number - counted_from, booked
            using errcode = 'check_violation';
    end if;
    return null;
end $$;

create constraint trigger journal_numbers_are_gapless after insert or update on journal_series
deferrable initially deferred for each row execute function assert_no_entry_is_lost();

create function assert_journal_rises() returns trigger language plpgsql as $$
begin
    raise exception 'the journal of % only counts up', old.tenant_key
        using errcode = 'restrict_violation';
end $$;

create trigger journal_series_rises before update on journal_series
for each row when (new.last_number < old.last_number) execute function assert_journal_rises();

create table handoff_batches (
    tenant_key   text        not null references tenants,
    format_name  text        not null,
    batch_number bigint      not null,
    first_entry  bigint      not null,
    last_entry   bigint      not null,
    bill_day     date        not null,
    opened_at    timestamptz not null default clock_timestamp(),
    path         text,
    sha256       text,
    totals       jsonb,
    exported_at  timestamptz,
    primary key (tenant_key, format_name, batch_number),
    check (first_entry <= last_entry),
    check ((exported_at is null) = (path is null and sha256 is null and totals is null))
);

create function assert_batch_follows() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    previous record;
begin
    select coalesce(max(batch_number), 0) as batch_number, coalesce(max(last_entry), 0) as last_entry
    into previous from handoff_batches
    where tenant_key = new.tenant_key and format_name = new.format_name;
    if new.batch_number <> previous.batch_number + 1 or new.first_entry <> previous.last_entry + 1 then
        raise exception 'batch % from entry % does not follow batch % up to entry %',
            new.batch_number, new.first_entry, previous.batch_number, previous.last_entry
            using errcode = 'check_violation';
    end if;
    return new;
end $$;

create trigger handoff_batches_follow before insert on handoff_batches
for each row execute function assert_batch_follows();

create function assert_export_stays() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or old.exported_at is not null
        or (new.first_entry, new.last_entry) <> (old.first_entry, old.last_entry) then
        raise exception 'hand-off batch % of % is claimed or exported and stays as it is',
            old.batch_number, old.format_name
            using errcode = 'restrict_violation';
    end if;
    return new;
end $$;

create trigger handoff_batches_stay before update or delete on handoff_batches
for each row execute function assert_export_stays();

call isolate_tenants('journal_series');
call isolate_tenants('journal_entries');
call isolate_tenants('postings');
call isolate_tenants('handoff_batches');
call make_append_only('journal_entries');
call make_append_only('postings');
call run_as_operator('assert_booked_now()');
call run_as_operator('assert_entry_balances()');
call run_as_operator('assert_entry_has_postings()');
call run_as_operator('assert_no_entry_is_lost()');
call run_as_operator('assert_batch_follows()');
grant insert on journal_entries, postings to billing_app, billing_operator;
grant insert, update (last_number) on journal_series to billing_app, billing_operator;
grant insert, update (path, sha256, totals, exported_at) on handoff_batches to billing_app, billing_operator;
