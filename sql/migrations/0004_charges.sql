-- 0004 Charges: which local days are due to be billed, and what was posted for every charge.
-- Why one row per tenant and local day: a day is due once by primary key, on 23- and 25-hour
-- days too. Why postings: what is charged in total is the sum, and only differences are added.

create table bill_days (
    tenant_key   text        not null references tenants,
    bill_day     date        not null,
    due_at       timestamptz not null,
    state        text        not null default 'due' check (state in ('due', 'running', 'failed', 'completed')),
    attempt      integer     not null default 1,
    started_at   timestamptz,
    completed_at timestamptz,
    invoices     bigint,
    message      text,
    primary key (tenant_key, bill_day),
    check ((state = 'completed') = (completed_at is not null))
);
create index bill_days_due on bill_days (bill_day, tenant_key) where state <> 'completed';

-- A completed day stays completed: its invoices are out.
create function assert_bill_day_open() returns trigger language plpgsql as $$
begin
    raise exception 'bill day % of % is completed', old.bill_day, old.tenant_key
        using errcode = 'restrict_violation';
end $$;

create trigger bill_days_stay_completed before update or delete on bill_days
for each row when (old.state = 'completed') execute function assert_bill_day_open();

create table charges (
    tenant_key       text            not null,
    charge_key       text            not null,
    posting_number   bigint          not null check (posting_number > 0),
    bill_day         date            not null,
    account_key      text            not null,
    subscription_key text,
    product_key      text            not null,
    price_key        text            not null,
    charge_kind      text            not null,
    description      text            not null,
    service_from     date            not null,
    service_until    date            not null,
    bill_from        date            not null,
    quantity         numeric(38, 10) not null,
    unit             text            not null,
    unit_price       numeric(38, 10),
    amount           numeric(38, 10) not null,  -- what should exist in total after this posting
    currency         text            not null,
    tax_category     text            not null,
    proration        text,
    events           bigint          not null,
    difference       numeric(38, 10) not null,  -- what this posting adds
    reason           text            not null,
    corrects_invoice text,
    invoice_number   text,
    line_number      bigint,
    net_minor        bigint          not null,
    posted_at        timestamptz     not null default clock_timestamp(),
    primary key (tenant_key, charge_key, posting_number),
    check ((invoice_number is null) = (line_number is null))
);
create index charges_by_account on charges (tenant_key, account_key);
create index charges_by_invoice on charges (tenant_key, invoice_number, line_number);

call isolate_tenants('bill_days');
call isolate_tenants('charges');
call make_append_only('charges');
grant insert, update on bill_days to billing_app, billing_operator;
grant insert on charges to billing_app, billing_operator;
