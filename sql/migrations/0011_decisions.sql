-- 0011 Decisions: what people decided, and what waits for them.
-- Why a log beside the rows: a row shows the last decision, the log shows all, and keeps them.

create table audit_log (
    tenant_key   text        not null,  -- empty for the installation as a whole
    audit_number bigint      not null generated always as identity,
    logged_at    timestamptz not null default clock_timestamp(),
    actor        text        not null check (actor <> ''),
    action       text        not null,  -- applied, released, discarded, reloaded, accepted ...
    subject      text        not null,
    note         text        not null,
    primary key (tenant_key, audit_number)
);

-- One row per record in suspense and stage; the record itself lies in the lake.
create table suspense_states (
    tenant_key    text        not null,  -- whose partition holds it
    stage         text        not null,
    file_key      text        not null,
    record_number bigint      not null,
    partition_day date        not null,
    reason        text        not null,
    state         text        not null default 'open' check (state in ('open', 'recycled', 'written_off')),
    attempts      integer     not null default 1,
    first_seen_at timestamptz not null,
    last_seen_at  timestamptz not null,
    decided_by    text,
    decision_note text,
    primary key (tenant_key, stage, file_key, record_number),
    check ((state = 'written_off') = (decided_by is not null))
);
create index suspense_states_of_partition on suspense_states (tenant_key, stage, partition_day);

create table approvals (
    tenant_key    text        not null references tenants,
    kind          text        not null,  -- off_cycle_run, held_account, large_correction ...
    subject       text        not null,
    message       text        not null,
    requested_at  timestamptz not null,
    requested_by  text        not null,
    state         text        not null default 'pending' check (state in ('pending', 'approved', 'refused')),
    decided_at    timestamptz,
    decided_by    text,
    decision_note text,
    primary key (tenant_key, kind, subject),
    check ((state = 'pending') = (decided_by is null)),
    constraint approvals_need_four_eyes check (decided_by <> requested_by)
);

create function assert_undecided() returns trigger language plpgsql as $$
begin
    raise exception '% % of % was % by %', old.kind, old.subject, old.tenant_key, old.state, old.decided_by
        using errcode = 'restrict_violation';
end $$;

create trigger approvals_stay_decided before update or delete on approvals
for each row when (old.state <> 'pending') execute function assert_undecided();

call isolate_tenants('audit_log');
call isolate_tenants('suspense_states');
call isolate_tenants('approvals');
call make_append_only('audit_log');
grant insert on audit_log to billing_app, billing_operator;
grant insert, update on suspense_states, approvals to billing_app, billing_operator;
