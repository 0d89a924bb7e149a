-- Batches of a format follow each other: no entry handed over twice, none left out.
with ordered as (
    select
        tenant_key, format_name, batch_number, first_entry,
        lag(last_entry, 1, 0::bigint) over batches as previous_entry,
        lag(batch_number, 1, 0::bigint) over batches as previous_batch
    from handoff_batches
    window batches as (partition by tenant_key, format_name order by batch_number)
)

select
    tenant_key,
    concat(format_name, ' ', batch_number) as subject,
    format(
        'begins with entry %s, the batch before (%s) ended with %s. Hand over what lies between by hand, or take the doubled entries back in the other system.',
        first_entry, previous_batch, previous_entry
    ) as message
from ordered
where first_entry <> previous_entry + 1 or batch_number <> previous_batch + 1
