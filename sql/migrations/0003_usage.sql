-- 0003 Usage: which files came, which days they touched, what is stale, where the frames lie.
-- Why counters: a day touched again while it is being computed must stay stale, so a stage
-- reports the counter it started from and staleness ends only at that counter.

create table usage_files (
    tenant_key    text        not null references tenants,  -- owner of the feed
    file_id       bigint      not null generated always as identity unique,
    feed_key      text        not null,
    url           text        not null,
    name          text        not null,
    size_bytes    bigint      not null,
    etag          text        not null,
    landed_at     timestamptz not null,
    landing_day   date        not null,
    state         text        not null default 'landed' check (
        state in ('landed', 'archived', 'loaded', 'duplicate', 'empty', 'quarantined', 'discarded')
    ),
    file_key      text,
    archive_path  text,
    records       bigint,
    accepted      bigint,
    suspended     bigint,
    filtered      bigint,
    quantity      numeric(38, 10),
    reason        text,
    message       text,
    decided_by    text,
    decision_note text,
    changed_at    timestamptz not null default clock_timestamp(),
    primary key (tenant_key, file_id),
    constraint usage_files_registered_once unique (tenant_key, feed_key, url, etag),
    constraint usage_files_conserved check (records = accepted + suspended + filtered)
);

-- The same content under two names is loaded once.
create unique index usage_files_content on usage_files (tenant_key, feed_key, file_key)
where state not in ('duplicate', 'discarded');
create index usage_files_by_key on usage_files (file_key);
create index usage_files_unloaded on usage_files (landing_day, file_id)
where state in ('landed', 'archived');

create table usage_file_days (
    tenant_key text   not null,
    file_id    bigint not null,
    usage_day  date   not null,
    records    bigint not null,
    primary key (tenant_key, file_id, usage_day),
    foreign key (tenant_key, file_id) references usage_files
);
create index usage_file_days_by_day on usage_file_days (tenant_key, usage_day);

create table usage_days (
    tenant_key text        not null references tenants,  -- owner of the feeds
    usage_day  date        not null,
    touched    bigint      not null default 1,
    mediated   bigint      not null default 0 check (mediated <= touched),
    changed_at timestamptz not null default clock_timestamp(),
    primary key (tenant_key, usage_day)
);
create index usage_days_stale on usage_days (tenant_key, usage_day) where mediated < touched;

create table rating_days (
    tenant_key text        not null references tenants,
    usage_day  date        not null,
    touched    bigint      not null default 1,
    rated      bigint      not null default 0 check (rated <= touched),
    changed_at timestamptz not null default clock_timestamp(),
    primary key (tenant_key, usage_day)
);
create index rating_days_stale on rating_days (tenant_key, usage_day) where rated < touched;

-- Files of the lake are never overwritten. What readers see are the rows not superseded.
create table lake_partitions (
    tenant_key    text        not null,
    frame         text        not null,
    partition_day date        not null,
    chunk         text        not null,
    version       integer     not null,
    path          text        not null,
    rows          bigint      not null,
    bytes         bigint      not null,
    recorded_at   timestamptz not null default clock_timestamp(),
    superseded_at timestamptz,
    primary key (tenant_key, frame, partition_day, chunk, version)
);
create unique index lake_partitions_current on lake_partitions
(tenant_key, frame, partition_day, chunk) where superseded_at is null;

create table conservation (
    tenant_key    text            not null,  -- empty while no tenant is known
    stage         text            not null,
    partition_day date            not null,
    feed_key      text            not null,
    records_in    bigint          not null,
    accepted      bigint          not null,
    duplicates    bigint          not null,
    suspended     bigint          not null,
    filtered      bigint          not null,
    quantity_in   numeric(38, 10) not null,
    quantity_out  numeric(38, 10) not null,
    changed_at    timestamptz     not null default clock_timestamp(),
    primary key (tenant_key, stage, partition_day, feed_key)
);

-- What forbids billing a tenant's days: usage not mediated or rated yet, records without a trace.
-- Runs as operator because the files belong to the owner of the feed, who may stand above the tenant.
create function gate_problems(of_tenant text, from_day date, until_day date)
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
        and days.usage_day >= from_day and days.usage_day < until_day
    union all
    select 'stale', days.tenant_key, 'rate', days.usage_day, 'usage or prices changed after rating'
    from rating_days as days
    where days.tenant_key = of_tenant and days.rated < days.touched
        and days.usage_day >= from_day and days.usage_day < until_day
$$;

call isolate_tenants('usage_files');
call isolate_tenants('usage_file_days');
call isolate_tenants('usage_days');
call isolate_tenants('rating_days');
call isolate_tenants('lake_partitions');
call isolate_tenants('conservation');
call run_as_operator('gate_problems(text, date, date)');
grant insert, update on usage_files, usage_days, rating_days, conservation to billing_app, billing_operator;
grant insert, update (superseded_at) on lake_partitions to billing_app, billing_operator;
grant insert, delete on usage_file_days to billing_app, billing_operator;
