-- Debits equal credits in every entry, in the entry's currency; no posting without its entry.
select
    tenant_key,
    coalesce(max(journal_entries.entry_key), concat('entry ', entry_number)) as subject,
    case
        when count(journal_entries.entry_key) = 0
            then 'has postings but no entry: a row was removed by hand. Restore it from the last backup.'
        else format(
            'is off by %s minor units: a row was changed by hand. Compare it with its hand-off file and restore it.',
            sum(postings.amount_minor)
        )
    end as message
from postings
full join journal_entries using (tenant_key, entry_number)
group by tenant_key, entry_number, postings.currency
having sum(postings.amount_minor) is distinct from 0
    or bool_or(journal_entries.currency is distinct from postings.currency)
