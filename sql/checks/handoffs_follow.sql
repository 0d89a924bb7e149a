-- Batches of a format follow each other: no entry handed off twice, none left out.
select *
from (
    select
        tenant_key,
        format_name,
        batch_number,
        first_entry,
        last_entry,
        lag(last_entry, 1, 0::bigint) over batches as previous_entry,
        lag(batch_number, 1, 0::bigint) over batches as previous_batch
    from handoff_batches
    window batches as (partition by tenant_key, format_name order by batch_number)
) as batches
where first_entry <> previous_entry + 1 or batch_number <> previous_batch + 1
