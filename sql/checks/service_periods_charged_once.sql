-- No price charges the same service day of a subscription twice.
with standing as (
    select
        tenant_key, account_key, subscription_key, price_key, charge_kind, charge_key,
        min(service_from) as service_from,
        -- A correction may have shortened the service: the last posting says what stands.
        (array_agg(service_until order by posting_number desc))[1] as service_until
    from charges
    where charge_kind in ('recurring', 'usage', 'minimum')
    group by tenant_key, account_key, subscription_key, price_key, charge_kind, charge_key
    having sum(net_minor) <> 0
),

ordered as (
    select
        *,
        max(service_until) over (
            partition by tenant_key, account_key, subscription_key, price_key, charge_kind
            order by service_from, charge_key rows between unbounded preceding and 1 preceding
        ) as charged_until
    from standing
)

select
    tenant_key,
    charge_key as subject,
    format(
        '%s is charged from %s, but was already charged until %s. Look at the subscription and its plans; hold the account.',
        price_key, service_from, charged_until
    ) as message,
    account_key
from ordered
where service_from < charged_until
