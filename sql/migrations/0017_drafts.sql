-- 0017 Drafts: what people saw before a bill was issued, and what runs up in open periods.
-- Why kept: a preview says what changed since the last one; an alert is raised once.

create table bill_previews (
    tenant_key   text            not null references tenants,
    bill_day     date            not null,
    account_key  text            not null,
    amount       numeric(38, 10) not null,  -- net, in major units
    charges      bigint          not null,
    previewed_at timestamptz     not null,
    primary key (tenant_key, bill_day, account_key)
);

-- One row per account with an open period; the next draft replaces it.
create table draft_bills (
    tenant_key    text            not null references tenants,
    account_key   text            not null,
    next_bill_day date            not null,
    drafted_on    date            not null,
    charges       bigint          not null,
    usage_amount  numeric(38, 10) not null,
    amount        numeric(38, 10) not null,
    expected      numeric(38, 10) not null,
    currency      text            not null,
    drafted_at    timestamptz     not null,
    primary key (tenant_key, account_key)
);

-- Raised once per account, bill and threshold.
create table usage_alerts (
    tenant_key    text            not null references tenants,
    account_key   text            not null,
    next_bill_day date            not null,
    threshold     numeric(38, 10) not null,
    usage_amount  numeric(38, 10) not null,
    expected      numeric(38, 10) not null,
    currency      text            not null,
    raised_at     timestamptz     not null,
    primary key (tenant_key, account_key, next_bill_day, threshold)
);

call isolate_tenants('bill_previews');
call isolate_tenants('draft_bills');
call isolate_tenants('usage_alerts');
call make_append_only('usage_alerts');
grant insert, update, delete on bill_previews, draft_bills to billing_app, billing_operator;
grant insert on usage_alerts to billing_app, billing_operator;
