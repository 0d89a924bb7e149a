-- 0034 Customer batches: which customers an accounting system was told of, and as what.
-- Why a digest: what is new or changed since is found by comparing it, whatever changed, without a second copy of
-- anybody's address.
create table customer_batches (
    tenant_key   text        not null references tenants,
    format_name  text        not null,
    batch_number bigint      not null check (batch_number > 0),
    bill_day     date        not null,
    opened_at    timestamptz not null,
    customers    bigint      not null check (customers > 0),
    path         text        not null,
    sha256       text        not null,
    exported_at  timestamptz not null default clock_timestamp(),
    primary key (tenant_key, format_name, batch_number)
);

create table customer_batch_members (
    tenant_key     text   not null,
    format_name    text   not null,
    batch_number   bigint not null,
    account_key    text   not null,
    content_sha256 text   not null,
    primary key (tenant_key, format_name, account_key, batch_number),
    foreign key (tenant_key, format_name, batch_number) references customer_batches
);

create function assert_customer_batch_follows() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    previous bigint;
begin
    select coalesce(max(batch_number), 0) into previous from customer_batches
    where (tenant_key, format_name) = (new.tenant_key, new.format_name);
    if new.batch_number <> previous + 1 then
        raise exception 'customer batch % of % does not follow batch %', new.batch_number, new.format_name, previous
            using errcode = 'check_violation';
    end if;
    return new;
end $$;

create trigger customer_batches_follow before insert on customer_batches
for each row execute function assert_customer_batch_follows();

call isolate_tenants('customer_batches');
call isolate_tenants('customer_batch_members');
call make_append_only('customer_batches');
call make_append_only('customer_batch_members');
call run_as_operator('assert_customer_batch_follows()');
grant insert on customer_batches, customer_batch_members to billing_app, billing_operator;
