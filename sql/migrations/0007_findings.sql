-- 0007 Findings: what the controls found wrong, from first sight until it is gone or accepted.
-- Why one row per subject: a control that runs every night must not bury people under copies.

create table findings (
    tenant_key    text        not null,  -- empty for the installation as a whole
    control       text        not null,
    subject       text        not null,
    severity      text        not null check (severity in ('warn', 'block')),
    message       text        not null,
    state         text        not null default 'open' check (state in ('open', 'resolved', 'accepted')),
    first_seen_at timestamptz not null,
    last_seen_at  timestamptz not null,
    sightings     integer     not null default 1,
    resolved_at   timestamptz,
    decided_by    text,
    decision_note text,
    primary key (tenant_key, control, subject),
    check ((state = 'accepted') = (decided_by is not null))
);
create index findings_open on findings (tenant_key, severity) where state = 'open';

call isolate_tenants('findings');
grant insert, update on findings to billing_app, billing_operator;
