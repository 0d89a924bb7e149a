-- Records and quantity that went into a stage came out of it.
select
    tenant_key,
    concat_ws(' ', stage, partition_day, nullif(feed_key, '')) as subject,
    format(
        '%s records and quantity %s went in, %s and %s came out. Run the stage again for the day; if the gap stays, look at its newest files.',
        records_in, trim_scale(quantity_in), accepted + duplicates + suspended + filtered, trim_scale(quantity_out)
    ) as message
from conservation
where records_in <> accepted + duplicates + suspended + filtered
    or quantity_in <> quantity_out
