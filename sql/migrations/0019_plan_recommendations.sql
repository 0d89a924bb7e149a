-- 0019 Plan recommendations: what each subscription would have paid on its best plan.
-- Why kept: sales and customers read them between two comparisons; the next one replaces them.

create table plan_recommendations (
    tenant_key         text            not null references tenants,
    subscription_key   text            not null,
    account_key        text            not null,
    current_plan       text            not null,
    recommended_plan   text            not null,
    current_amount     numeric(38, 10) not null,
    recommended_amount numeric(38, 10) not null,
    saving             numeric(38, 10) not null,
    currency           text            not null,
    window_from        date            not null,
    window_until       date            not null,
    compared_at        timestamptz     not null,
    primary key (tenant_key, subscription_key),
    check (window_from < window_until)
);

call isolate_tenants('plan_recommendations');
grant insert, update, delete on plan_recommendations to billing_app, billing_operator;
