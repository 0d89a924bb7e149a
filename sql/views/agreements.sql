-- What was agreed with some customers only, from prices.yaml and agreed_prices.csv: one list.
-- Where two could hold, the order is: subscription, account and up, account type, everyone.
create view agreements with (security_invoker = true) as
select
    tenant_key,
    split_part(entry_key, '/', 1) as agreement,
    document ->> 'subscription' as subscription_key,
    document ->> 'account' as account_key,
    document ->> 'account_type' as account_type,
    coalesce(document ->> 'instead_of', document -> 'price' ->> 'key') as price_key,
    coalesce(document -> 'price', document -> 'terms') as terms,
    nullif(valid_from, '-infinity') as valid_from,
    nullif(valid_until, 'infinity') as valid_until,
    known_from
from catalog_entries
where kind = 'negotiated_price' and known_until is null
union all
select
    tenant_key,
    'agreed_prices.csv' as agreement,
    subscription_key,
    null as account_key,
    null as account_type,
    price_key,
    jsonb_build_object('amount', trim_scale(amount)) as terms,
    valid_from,
    valid_until,
    known_from
from agreed_prices
where known_until is null;
