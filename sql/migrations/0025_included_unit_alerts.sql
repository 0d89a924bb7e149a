-- 0027 Alerts on included units and on expected bills, each raised once.
-- Why a table of its own: usage_alerts is about amounts of usage; these are about shares of a pool
-- and about a whole bill, and one account may have several pools.

create table draft_alerts (
    tenant_key    text            not null references tenants,
    account_key   text            not null,
    next_bill_day date            not null,
    kind          text            not null check (kind in ('included_units', 'expected_bill')),
    subject       text            not null,  -- the pool and who has it, or the account
    threshold     numeric(38, 10) not null,  -- per cent of the pool, or an amount
    reached       numeric(38, 10) not null,
    unit          text            not null,  -- % or the currency
    raised_at     timestamptz     not null,
    primary key (tenant_key, account_key, next_bill_day, kind, subject, threshold)
);

call isolate_tenants('draft_alerts');
call make_append_only('draft_alerts');
grant insert on draft_alerts to billing_app, billing_operator;
