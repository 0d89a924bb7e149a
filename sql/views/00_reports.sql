-- The schema finance and BI read. Views run with the rights of whoever asks, so row-level security
-- shows each tenant its own subtree; every view says whose row it is by tenant_key.
create schema if not exists reports;
grant usage on schema reports to billing_app, billing_operator, billing_reader;
alter default privileges in schema reports grant select on tables to billing_app, billing_operator, billing_reader;

-- Decimals of a currency's minor unit. Source: ISO 4217, as in vocabulary/money.py.
create or replace function reports.minor_exponent(currency text) returns integer
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
create or replace function reports.major_amount(amount_minor numeric, currency text) returns numeric
language sql immutable parallel safe as $$
    select round(amount_minor / 10::numeric ^ reports.minor_exponent(currency), reports.minor_exponent(currency))
$$;
