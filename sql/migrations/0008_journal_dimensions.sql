-- 0008 Journal dimensions and fiscal periods: what other systems ask of a posting, and when books
-- are shut. Why a trigger: an entry in a closed period changes figures somebody has reported.
alter table journal_entries
    add column due_date date,
    add column belongs_to date,  -- day of the fact, where its period was closed when it was booked
    add column reverses text;  -- entry_key of the entry this one takes back

alter table postings
    add column tax_base_minor bigint,
    add column cost_centre text;

create table fiscal_periods (
    tenant_key text not null references tenants,
    first_day  date not null,
    until_day  date not null,  -- the day after the last
    state      text not null default 'open' check (state in ('open', 'closed', 'locked')),
    changed_at timestamptz not null default clock_timestamp(),
    changed_by text not null,
    primary key (tenant_key, first_day),
    check (first_day < until_day)
);

create function assert_period_open() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    shut record;
begin
    select * into shut from fiscal_periods
    where tenant_key = new.tenant_key and state <> 'open'
        and first_day <= new.booked_date and new.booked_date < until_day;
    if found then
        raise exception 'period from % of % is %: book entry % in an open period and name this one in belongs_to',
            shut.first_day, new.tenant_key, shut.state, new.entry_key
            using errcode = 'restrict_violation';
    end if;
    return new;
end $$;

create trigger journal_entries_in_open_periods before insert on journal_entries
for each row execute function assert_period_open();

create function assert_period_kept() returns trigger language plpgsql as $$
begin
    if tg_op = 'DELETE' or old.state = 'locked'
        or (new.first_day, new.until_day) <> (old.first_day, old.until_day) then
        raise exception 'period from % of % is % and stays as it is', old.first_day, old.tenant_key, old.state
            using errcode = 'restrict_violation';
    end if;
    return new;
end $$;

create trigger fiscal_periods_stay before update or delete on fiscal_periods
for each row execute function assert_period_kept();

call isolate_tenants('fiscal_periods');
call run_as_operator('assert_period_open()');
grant insert, update (state, changed_at, changed_by) on fiscal_periods to billing_app, billing_operator;
