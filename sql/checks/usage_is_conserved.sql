-- What a stage was given is accepted, duplicate, suspended or filtered: records and quantity.
select
    tenant_key,
    stage,
    partition_day,
    feed_key,
    records_in,
    accepted + duplicates + suspended + filtered as records_out,
    quantity_in,
    quantity_out
from conservation
where
    records_in <> accepted + duplicates + suspended + filtered
    or quantity_in <> quantity_out
