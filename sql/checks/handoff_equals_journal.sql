-- What an exported batch says it held is what the journal holds for its entries.
with stated as (
    select
        batches.tenant_key, batches.format_name, batches.batch_number, batches.first_entry, batches.last_entry,
        totals.currency, totals.debit_minor, totals.credit_minor
    from handoff_batches as batches
    cross join
        lateral jsonb_to_recordset(
            case jsonb_typeof(batches.totals) when 'array' then batches.totals else batches.totals -> 'totals' end
        )
        as totals (currency text, debit_minor bigint, credit_minor bigint)
    where batches.exported_at is not null
),

held as (
    select
        batches.tenant_key, batches.format_name, batches.batch_number, postings.currency,
        sum(greatest(postings.amount_minor, 0)) as debit_minor,
        -sum(least(postings.amount_minor, 0)) as credit_minor
    from handoff_batches as batches
    inner join postings
        on batches.tenant_key = postings.tenant_key
        and postings.entry_number between batches.first_entry and batches.last_entry
    where batches.exported_at is not null
    group by batches.tenant_key, batches.format_name, batches.batch_number, postings.currency
)

select
    tenant_key,
    concat(format_name, ' ', batch_number, ' ', currency) as subject,
    format(
        'exported with debits %s and credits %s, the journal holds %s and %s. Booked rows were changed after the export: restore them.',
        coalesce(stated.debit_minor::text, 'nothing'), coalesce(stated.credit_minor::text, 'nothing'),
        coalesce(held.debit_minor::text, 'nothing'), coalesce(held.credit_minor::text, 'nothing')
    ) as message
from stated
full join held using (tenant_key, format_name, batch_number, currency)
where stated.debit_minor is distinct from held.debit_minor
    or stated.credit_minor is distinct from held.credit_minor
