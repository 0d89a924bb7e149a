-- 0005 Invoices: issued documents never change; corrections are further documents.
-- Why a counter row and no sequence: a sequence leaves a gap when a transaction rolls back; the
-- counter's row lock makes issuers of one series wait, and its value rolls back with the documents.
-- Why lines carry no foreign key: the trigger that ties them to the issuing transaction proves the
-- document exists, once a statement instead of once a row, and documents are never deleted.

create table invoice_number_series (
    tenant_key  text    not null references tenants,
    series      text    not null,
    number_year integer not null,
    last_number bigint  not null,
    primary key (tenant_key, series, number_year)
);

create table invoices (
    tenant_key       text        not null references tenants,
    invoice_number   text        not null,
    invoice_key      text        not null,
    document_kind    text        not null check (document_kind in ('invoice', 'credit_note')),
    series           text        not null,
    number_year      integer     not null generated always as (extract(year from bill_day)) stored,
    account_key      text        not null,
    bill_day         date        not null,
    due_date         date        not null,
    period_from      date        not null,
    period_until     date        not null,
    currency         text        not null,
    net_minor        bigint      not null,
    tax_minor        bigint      not null,
    total_minor      bigint      not null,
    corrects_invoice text,
    issued_at        timestamptz not null,
    issued_in        xid8        not null default pg_current_xact_id(),
    primary key (tenant_key, invoice_number),
    constraint invoices_issued_once unique (tenant_key, invoice_key),
    check (total_minor = net_minor + tax_minor)
);
create index invoices_of_series on invoices (tenant_key, series, number_year);
create index invoices_by_bill_day on invoices (tenant_key, bill_day);

create table invoice_lines (
    tenant_key       text            not null,
    invoice_number   text            not null,
    line_number      bigint          not null,
    charge_key       text            not null,
    posting_number   bigint          not null,
    account_key      text            not null,
    subscription_key text,
    product_key      text            not null,
    price_key        text            not null,
    charge_kind      text            not null,
    description      text            not null,
    service_from     date            not null,
    service_until    date            not null,
    quantity         numeric(38, 10) not null,
    unit             text            not null,
    unit_price       numeric(38, 10),
    net_minor        bigint          not null,
    currency         text            not null,
    tax_category     text            not null,
    tax_code         text            not null,
    tax_rate         numeric(9, 4)   not null,
    corrects_invoice text,
    events           bigint          not null,
    primary key (tenant_key, invoice_number, line_number)
);

create table invoice_taxes (
    tenant_key     text          not null,
    invoice_number text          not null,
    tax_code       text          not null,
    tax_rate       numeric(9, 4) not null,
    tax_label      text          not null,
    exemption      text,
    base_minor     bigint        not null,
    tax_minor      bigint        not null,
    primary key (tenant_key, invoice_number, tax_code, tax_rate)
);

create table documents (
    tenant_key     text        not null,
    invoice_number text        not null,
    kind           text        not null,  -- pdf, html, csv, xml ...
    path           text        not null,
    sha256         text        not null check (sha256 ~ '^[0-9a-f]{64}$'),
    recorded_at    timestamptz not null default clock_timestamp(),
    primary key (tenant_key, invoice_number, kind),
    foreign key (tenant_key, invoice_number) references invoices
);

create function assert_issued_now() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    if exists (
        select from (select distinct tenant_key, invoice_number from added) as touched
        left join invoices using (tenant_key, invoice_number)
        where invoices.issued_in is distinct from pg_current_xact_id()
    ) then
        raise exception '% can only be added in the transaction that issues their document', tg_table_name
            using errcode = 'restrict_violation';
    end if;
    return null;
end $$;

create trigger invoice_lines_issued_now after insert on invoice_lines
referencing new table as added for each statement execute function assert_issued_now();
create trigger invoice_taxes_issued_now after insert on invoice_taxes
referencing new table as added for each statement execute function assert_issued_now();

create function assert_invoice_adds_up() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    lines_minor bigint;
    taxes_minor bigint;
begin
    select sum(net_minor) into lines_minor from invoice_lines
    where tenant_key = new.tenant_key and invoice_number = new.invoice_number;
    select coalesce(sum(tax_minor), 0) into taxes_minor from invoice_taxes
    where tenant_key = new.tenant_key and invoice_number = new.invoice_number;
    if lines_minor is distinct from new.net_minor or taxes_minor <> new.tax_minor then
        raise exception 'document % does not add up: net % of lines %, tax % of taxes %',
            new.invoice_number, new.net_minor, lines_minor, new.tax_minor, taxes_minor
            using errcode = 'check_violation';
    end if;
    return null;
end $$;

create constraint trigger invoices_add_up after insert on invoices
deferrable initially deferred for each row execute function assert_invoice_adds_up();

-- A number once allotted is on a document in the same transaction, or nothing is committed.
create function assert_no_number_is_lost() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    allotted bigint;
    issued   bigint;
begin
    select last_number into allotted from invoice_number_series
    where (tenant_key, series, number_year) = (new.tenant_key, new.series, new.number_year);
    select count(*) into issued from invoices
    where (tenant_key, series, number_year) = (new.tenant_key, new.series, new.number_year);
    if allotted is distinct from issued then
        raise exception 'series % of % in %: % numbers allotted, % documents issued',
            new.series, new.tenant_key, new.number_year, allotted, issued
            using errcode = 'check_violation';
    end if;
    return null;
end $$;

create constraint trigger invoice_numbers_are_gapless after insert or update on invoice_number_series
deferrable initially deferred for each row execute function assert_no_number_is_lost();

create function assert_number_rises() returns trigger language plpgsql as $$
begin
    raise exception 'series % of % only counts up', old.series, old.tenant_key
        using errcode = 'restrict_violation';
end $$;

create trigger invoice_number_series_rises before update on invoice_number_series
for each row when (new.last_number <= old.last_number) execute function assert_number_rises();

call isolate_tenants('invoice_number_series');
call isolate_tenants('invoices');
call isolate_tenants('invoice_lines');
call isolate_tenants('invoice_taxes');
call isolate_tenants('documents');
call make_append_only('invoices');
call make_append_only('invoice_lines');
call make_append_only('invoice_taxes');
call make_append_only('documents');
call run_as_operator('assert_issued_now()');
call run_as_operator('assert_invoice_adds_up()');
call run_as_operator('assert_no_number_is_lost()');
grant insert on invoices, invoice_lines, invoice_taxes, documents to billing_app, billing_operator;
grant insert, update (last_number) on invoice_number_series to billing_app, billing_operator;
