-- 0015 Rate cards in bulk: prices of a card are proved not to overlap once per statement.
-- Why: a deck has 300,000 prefixes, and a trigger per row took most of a minute to look at each.
-- Sorted by start, any overlap shows between two neighbours.
-- Rows that are replaced are closed before others are inserted, so nothing has to be deferred.

drop trigger rate_card_prices_do_not_overlap on rate_card_prices;
drop function assert_one_rate_card_price();

create function assert_no_overlapping_prices() returns trigger
language plpgsql security definer set search_path = public, pg_temp as $$
declare
    clash record;
begin
    select known.card_key, known.prefix, known.band, known.following as valid_from into clash
    from (
        select
            card_key, prefix, band, valid_until,
            lead(valid_from) over (
                partition by tenant_key, card_key, prefix, band order by valid_from
            ) as following
        from rate_card_prices
        where known_until is null
            and (tenant_key, card_key) in (select tenant_key, card_key from incoming)
    ) as known
    where known.following < coalesce(known.valid_until, 'infinity')
    limit 1;
    if found then
        raise exception 'overlapping prices of card % prefix % band "%" from %',
            clash.card_key, clash.prefix, clash.band, clash.valid_from
            using errcode = 'exclusion_violation';
    end if;
    return null;
end $$;

create trigger rate_card_prices_do_not_overlap after insert on rate_card_prices
referencing new table as incoming
for each statement execute function assert_no_overlapping_prices();
