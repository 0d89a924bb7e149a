-- Debits equal credits in every journal entry and currency.
select
    tenant_key,
    entry_number,
    currency,
    sum(amount_minor) as balance_minor
from postings
group by tenant_key, entry_number, currency
having sum(amount_minor) <> 0
