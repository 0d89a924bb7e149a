-- 0023 Hand-off receipts: what the accounting system said of a batch.
-- Why a log: a batch refused today and taken tomorrow has two receipts, and both are evidence.
create table handoff_receipts (
    tenant_key     text        not null,
    format_name    text        not null,
    batch_number   bigint      not null,
    receipt_number bigint      not null generated always as identity,
    state          text        not null check (state in ('accepted', 'refused')),
    reference      text        not null default '',  -- what the other system calls it
    note           text        not null default '',
    received_at    timestamptz not null,
    received_by    text        not null check (received_by <> ''),
    primary key (tenant_key, format_name, batch_number, receipt_number),
    foreign key (tenant_key, format_name, batch_number) references handoff_batches
);

call isolate_tenants('handoff_receipts');
call make_append_only('handoff_receipts');
grant insert on handoff_receipts to billing_app, billing_operator;
