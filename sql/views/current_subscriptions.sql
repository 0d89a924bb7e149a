-- Subscriptions as known now, with the account that holds and the one that pays them.
create view current_subscriptions with (security_invoker = true) as
select
    subscriptions.tenant_key,
    subscriptions.subscription_key,
    subscriptions.plan_key,
    subscriptions.quantity,
    subscriptions.started_on,
    subscriptions.ended_on,
    accounts.account_key,
    accounts.name as account_name,
    accounts.payer_key,
    accounts.currency
from subscriptions
inner join accounts
    on
        subscriptions.tenant_key = accounts.tenant_key
        and subscriptions.account_key = accounts.account_key
        and accounts.known_until is null
where subscriptions.known_until is null
