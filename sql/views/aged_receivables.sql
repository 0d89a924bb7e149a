-- What is open per account by age on a day. Payments are not kept here yet: everything issued is open.
create or replace function reports.receivables_aged(as_of date) returns table (
    tenant_key text,
    account_key text,
    currency text,
    documents bigint,
    not_due_minor numeric,
    days_1_30_minor numeric,
    days_31_60_minor numeric,
    days_61_90_minor numeric,
    over_90_minor numeric,
    open_minor numeric,
    open_amount numeric
)
language sql stable parallel safe as $$
    with items as (
        select tenant_key, account_key, currency, total_minor, as_of - due_date as days_overdue
        from public.invoices
        where bill_day <= as_of and total_minor <> 0
    )

    select
        tenant_key, account_key, currency, count(*),
        coalesce(sum(total_minor) filter (where days_overdue <= 0), 0),
        coalesce(sum(total_minor) filter (where days_overdue between 1 and 30), 0),
        coalesce(sum(total_minor) filter (where days_overdue between 31 and 60), 0),
        coalesce(sum(total_minor) filter (where days_overdue between 61 and 90), 0),
        coalesce(sum(total_minor) filter (where days_overdue > 90), 0),
        sum(total_minor),
        reports.major_amount(sum(total_minor), currency)
    from items
    group by tenant_key, account_key, currency
$$;

create or replace view reports.aged_receivables with (security_invoker = true) as
select * from reports.receivables_aged(current_date);
