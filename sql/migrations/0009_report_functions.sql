-- 0009 Report functions: what the views of `sql/views` have in common.

-- Decimals of a currency's minor unit. Source: ISO 4217, as in vocabulary/money.py.
create function minor_exponent(currency text) returns integer
language sql immutable parallel safe as $$
    select case
        when currency in (
            'BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'VND', 'VUV', 'XAF',
            'XOF', 'XPF'
        ) then 0
        when currency in ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') then 3
        else 2
    end
$$;

-- Exact major units of a sum of minor units, with exactly the currency's decimals.
create function major_amount(amount_minor numeric, currency text) returns numeric
language sql immutable parallel safe as $$
    select round(amount_minor / 10::numeric ^ minor_exponent(currency), minor_exponent(currency))
$$;

-- What is open per account by age on a day. Payments are not kept yet: everything issued is open.
create function receivables_aged(as_of date) returns table (
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
        from invoices
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
        major_amount(sum(total_minor), currency)
    from items
    group by tenant_key, account_key, currency
$$;
