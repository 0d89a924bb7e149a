-- 0013 Identifier inventory: identifiers by prefix and range, and those that nobody owns now.
-- Why one table: a number is in stock, assigned, ported out or in quarantine, one after the other;
-- in one table the spans of one number can be seen not to overlap.

alter table service_identifiers
add column match text not null default 'exact' check (match in ('exact', 'prefix', 'range')),
add column status text not null default 'assigned' check (
    status in ('in_stock', 'assigned', 'ported_out', 'quarantined')
),
alter column subscription_key drop not null,
add constraint service_identifiers_owned_if_assigned check (
    (status = 'assigned') = (subscription_key is not null)
);

-- Few rows, read at every revision of a company.
create index service_identifiers_patterns on service_identifiers (tenant_key)
where known_until is null and match <> 'exact';
