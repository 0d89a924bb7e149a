-- 0029 Payments: money received and debts given up, what each settles, and the balance every document states.
-- Why a document's balance is kept when it is issued: it must print the same for ever, whatever is paid later.

create table payments (
    tenant_key   text        not null references tenants,
    payment_key  text        not null,
    kind         text        not null check (kind in ('payment', 'write_off')),
    account_key  text        not null,
    received_on  date        not null,
    currency     text        not null,
    amount_minor bigint      not null check (amount_minor > 0),
    reference    text        not null default '',
    recorded_by  text        not null,
    recorded_at  timestamptz not null,
    primary key (tenant_key, payment_key),
    check (kind <> 'write_off' or length(trim(reference)) > 0)
);
create index payments_of_account on payments (tenant_key, account_key, currency);

create table payment_allocations (
    tenant_key     text   not null,
    payment_key    text   not null,
    invoice_number text   not null,
    allocated_on   date   not null,
    amount_minor   bigint not null check (amount_minor > 0),
    primary key (tenant_key, payment_key, invoice_number),
    foreign key (tenant_key, payment_key) references payments,
    foreign key (tenant_key, invoice_number) references invoices
);
create index payment_allocations_of_invoice on payment_allocations (tenant_key, invoice_number);

create function assert_nothing_is_paid_twice() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    paid    record;
    settled record;
begin
    select * into paid from payments
    where (tenant_key, payment_key) = (new.tenant_key, new.payment_key);
    select * into settled from invoices
    where (tenant_key, invoice_number) = (new.tenant_key, new.invoice_number);
    if (paid.account_key, paid.currency) is distinct from (settled.account_key, settled.currency) then
        raise exception 'payment % and document % are of different accounts or currencies',
            new.payment_key, new.invoice_number using errcode = 'check_violation';
    end if;
    if paid.amount_minor < (
        select sum(amount_minor) from payment_allocations
        where (tenant_key, payment_key) = (new.tenant_key, new.payment_key)
    ) then
        raise exception 'payment % settles more than it is', new.payment_key
            using errcode = 'check_violation';
    end if;
    if settled.total_minor < (
        select sum(amount_minor) from payment_allocations
        where (tenant_key, invoice_number) = (new.tenant_key, new.invoice_number)
    ) then
        raise exception 'document % is settled by more than it asks for', new.invoice_number
            using errcode = 'check_violation';
    end if;
    return null;
end $$;

create constraint trigger allocations_settle_once after insert on payment_allocations
deferrable initially deferred for each row execute function assert_nothing_is_paid_twice();

create table invoice_statements (
    tenant_key        text   not null,
    invoice_number    text   not null,
    carried_minor     bigint not null,  -- what was open after the document before
    paid_minor        bigint not null,  -- received since then
    written_off_minor bigint not null,  -- given up since then
    total_minor       bigint not null,  -- of this document
    closing_minor     bigint not null,
    primary key (tenant_key, invoice_number),
    foreign key (tenant_key, invoice_number) references invoices,
    check (closing_minor = carried_minor - paid_minor - written_off_minor + total_minor)
);

create table payment_receipts (
    tenant_key  text        not null,
    payment_key text        not null,
    path        text        not null,
    sha256      text        not null check (sha256 ~ '^[0-9a-f]{64}$'),
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (tenant_key, payment_key),
    foreign key (tenant_key, payment_key) references payments
);

create index invoices_of_account on invoices (tenant_key, account_key, currency);

-- What is open per account by age on a day: documents less what was received for them by then; money
-- received for no document yet is not due.
create or replace function receivables_aged(as_of date) returns table (
    tenant_key text,
    account_key text,
    currency text,
    documents bigint,
    not_due_minor numeric,
    days_1_30_minor numeric,
    days_31_60_minor numeric,
    days_61_90_minor numeric,
    over_90_minor numeric,
    open_minor numeric,
    open_amount numeric
)
language sql stable parallel safe as $$
    with settled as (
        select tenant_key, payment_key, invoice_number, sum(amount_minor) as amount_minor
        from payment_allocations
        where allocated_on <= as_of
        group by tenant_key, payment_key, invoice_number
    ),

    of_documents as (
        select tenant_key, invoice_number, sum(amount_minor) as amount_minor
        from settled
        group by tenant_key, invoice_number
    ),

    of_payments as (
        select tenant_key, payment_key, sum(amount_minor) as amount_minor
        from settled
        group by tenant_key, payment_key
    ),

    items as (
        select
            tenant_key, account_key, currency, 1 as documents, as_of - due_date as days_overdue,
            total_minor - coalesce(amount_minor, 0) as open_minor
        from invoices
        left join of_documents using (tenant_key, invoice_number)
        where bill_day <= as_of and total_minor <> coalesce(amount_minor, 0)
        union all
        select
            tenant_key, account_key, currency, 0, 0,
            coalesce(of_payments.amount_minor, 0) - payments.amount_minor
        from payments
        left join of_payments using (tenant_key, payment_key)
        where received_on <= as_of and payments.amount_minor > coalesce(of_payments.amount_minor, 0)
    )

    select
        tenant_key, account_key, currency, sum(documents)::bigint,
        coalesce(sum(open_minor) filter (where days_overdue <= 0), 0),
        coalesce(sum(open_minor) filter (where days_overdue between 1 and 30), 0),
        coalesce(sum(open_minor) filter (where days_overdue between 31 and 60), 0),
        coalesce(sum(open_minor) filter (where days_overdue between 61 and 90), 0),
        coalesce(sum(open_minor) filter (where days_overdue > 90), 0),
        sum(open_minor),
        major_amount(sum(open_minor), currency)
    from items
    group by tenant_key, account_key, currency
$$;

call isolate_tenants('payments');
call isolate_tenants('payment_allocations');
call isolate_tenants('invoice_statements');
call isolate_tenants('payment_receipts');
call make_append_only('payments');
call make_append_only('payment_allocations');
call make_append_only('invoice_statements');
call make_append_only('payment_receipts');
call run_as_operator('assert_nothing_is_paid_twice()');
grant insert on payments, payment_allocations, invoice_statements, payment_receipts
to billing_app, billing_operator;
