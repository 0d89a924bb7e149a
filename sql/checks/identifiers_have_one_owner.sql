-- An identifier belongs to one subscription of a tenant at a time, and the subscription exists.
select distinct
    mine.tenant_key,
    mine.identifier as subject,
    case
        when subscriptions.subscription_key is null
            then format('belongs to subscription %s, which does not exist. Correct service_identifiers.csv.', mine.subscription_key)
        else format(
            'belongs to %s and %s at the same time. Close one of them in service_identifiers.csv.',
            mine.subscription_key, other.subscription_key
        )
    end as message
from service_identifiers as mine
left join subscriptions
    on mine.tenant_key = subscriptions.tenant_key
    and mine.subscription_key = subscriptions.subscription_key
    and subscriptions.known_until is null
left join service_identifiers as other
    on mine.tenant_key = other.tenant_key
    and mine.identifier = other.identifier
    and other.known_until is null
    and mine.valid_from < other.valid_from
    and other.valid_from < coalesce(mine.valid_until, 'infinity')
where mine.known_until is null
    and mine.status = 'assigned'
    and (subscriptions.subscription_key is null or other.subscription_key is not null)
