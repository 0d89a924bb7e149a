-- One price per card, prefix, band and day.
with ordered as (
    select
        tenant_key, card_key, prefix, band, valid_from,
        max(coalesce(valid_until, 'infinity')) over (
            partition by tenant_key, card_key, prefix, band
            order by valid_from rows between unbounded preceding and 1 preceding
        ) as priced_until
    from rate_card_prices
    where known_until is null
)

select
    tenant_key,
    concat_ws(' ', card_key, prefix, nullif(band, ''), valid_from) as subject,
    format('an earlier price is valid until %s. Close it in the rate card and apply again.', priced_until) as message
from ordered
where valid_from < priced_until
