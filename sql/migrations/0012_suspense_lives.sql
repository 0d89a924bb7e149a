-- 0012 Suspense lives: what a suspended record is about, how its wait ended, who ended it; and
-- what each usage file kept of its quantity.
-- Why resolved beside recycled: a record whose file was replaced, or that is now a duplicate, has
-- left suspense without ever becoming an event, and must not look as if it had been billed.

alter table suspense_states
add column feed_key text not null default '',
add column service_identifier text,
add column started_at timestamptz,
add column quantity numeric(38, 10),
add column closed_at timestamptz,
drop constraint suspense_states_pkey,
add primary key (tenant_key, stage, feed_key, file_key, record_number),
drop constraint suspense_states_state_check,
add constraint suspense_states_state_check check (state in ('open', 'recycled', 'resolved', 'written_off'));

create index suspense_states_waiting on suspense_states (tenant_key, service_identifier)
where state = 'open';
create index suspense_states_of_record on suspense_states (file_key, record_number);

-- A file whose period a later delivery replaced keeps its place in the register.
alter table usage_files
add column quantity_kept numeric(38, 10),
add constraint usage_files_quantity_conserved check (quantity = quantity_kept),
drop constraint usage_files_state_check,
add constraint usage_files_state_check check (
    state in (
        'landed', 'archived', 'loaded', 'superseded', 'duplicate', 'empty', 'quarantined', 'discarded'
    )
);
create index usage_files_by_name on usage_files (tenant_key, feed_key, name);
