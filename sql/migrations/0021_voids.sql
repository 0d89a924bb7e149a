-- 0021 Voids: documents that went out, and documents taken back in full before they did.
-- Why a table of its own: an issued document never changes; what happens to it is told beside it.

create table invoice_deliveries (
    tenant_key     text        not null,
    invoice_number text        not null,
    channel        text        not null,  -- email, post, portal ...
    delivered_at   timestamptz not null,
    recorded_by    text        not null,
    primary key (tenant_key, invoice_number, channel),
    foreign key (tenant_key, invoice_number) references invoices
);

create table invoice_voids (
    tenant_key         text        not null,
    invoice_number     text        not null,
    credit_note_number text        not null,
    reason             text        not null check (length(trim(reason)) > 0),
    voided_at          timestamptz not null,
    voided_by          text        not null,
    primary key (tenant_key, invoice_number),
    foreign key (tenant_key, invoice_number) references invoices,
    foreign key (tenant_key, credit_note_number) references invoices (tenant_key, invoice_number)
);

create function assert_void_or_delivered() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
begin
    -- Both sides lock the document, so that neither misses what the other is about to write.
    perform pg_advisory_xact_lock(hashtextextended(new.tenant_key || '/' || new.invoice_number, 0));
    if exists (
        select from invoice_deliveries
        where (tenant_key, invoice_number) = (new.tenant_key, new.invoice_number)
    ) and exists (
        select from invoice_voids
        where (tenant_key, invoice_number) = (new.tenant_key, new.invoice_number)
    ) then
        raise exception 'document % is both delivered and void', new.invoice_number
            using errcode = 'restrict_violation';
    end if;
    return null;
end $$;

create constraint trigger deliveries_are_not_void after insert on invoice_deliveries
for each row execute function assert_void_or_delivered();
create constraint trigger voids_are_not_delivered after insert on invoice_voids
for each row execute function assert_void_or_delivered();

call isolate_tenants('invoice_deliveries');
call isolate_tenants('invoice_voids');
call make_append_only('invoice_deliveries');
call make_append_only('invoice_voids');
call run_as_operator('assert_void_or_delivered()');
grant insert on invoice_deliveries, invoice_voids to billing_app, billing_operator;
