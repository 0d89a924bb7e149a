-- 0030 Masking: usage days whose numbers were masked, files whose originals are gone, itemisations removed.
-- Why the day is marked: what stood on it can never be computed anew, so nothing may make it stale.
-- Why documents are not updated: they are evidence; that a file of one was removed is a fact of its own.

alter table usage_days add column masked_at timestamptz;
alter table rating_days add column masked_at timestamptz;
alter table usage_files add column masked_at timestamptz;
alter table lake_partitions add column removed_at timestamptz;

create table removed_documents (
    tenant_key     text        not null,
    invoice_number text        not null,
    kind           text        not null,
    removed_at     timestamptz not null,
    primary key (tenant_key, invoice_number, kind),
    foreign key (tenant_key, invoice_number, kind) references documents
);
call isolate_tenants('removed_documents');
call make_append_only('removed_documents');
grant insert on removed_documents to billing_app, billing_operator;
grant update (removed_at) on lake_partitions to billing_app, billing_operator;

create index usage_days_masked on usage_days (tenant_key, usage_day) where masked_at is not null;
create index rating_days_masked on rating_days (tenant_key, usage_day) where masked_at is not null;
create index lake_partitions_unremoved on lake_partitions (tenant_key, frame, partition_day)
where superseded_at is not null and removed_at is null;

create or replace function gate_problems(of_tenant text, from_day date, until_day date)
returns table (problem text, tenant_key text, stage text, partition_day date, detail text)
language sql stable security definer set search_path = public, pg_temp as $$
    select 'not_conserved', kept.tenant_key, kept.stage, kept.partition_day, format(
        'feed "%s": %s records in, %s out; quantity %s in, %s out',
        kept.feed_key, kept.records_in,
        kept.accepted + kept.duplicates + kept.suspended + kept.filtered,
        kept.quantity_in, kept.quantity_out
    )
    from conservation as kept
    where kept.tenant_key in (select tenant_lineage(of_tenant))
        and kept.partition_day >= from_day and kept.partition_day < until_day
        and (
            kept.records_in <> kept.accepted + kept.duplicates + kept.suspended + kept.filtered
            or kept.quantity_in <> kept.quantity_out
        )
    union all
    select 'stale', days.tenant_key, 'mediate', days.usage_day, 'usage arrived after mediation'
    from usage_days as days
    where days.tenant_key in (select tenant_lineage(of_tenant)) and days.mediated < days.touched
        and days.usage_day >= from_day and days.usage_day < until_day and days.masked_at is null
    union all
    select 'stale', days.tenant_key, 'rate', days.usage_day, 'usage or prices changed after rating'
    from rating_days as days
    where days.tenant_key = of_tenant and days.rated < days.touched
        and days.usage_day >= from_day and days.usage_day < until_day and days.masked_at is null
$$;
