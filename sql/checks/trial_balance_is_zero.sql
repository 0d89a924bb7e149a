-- All ledger accounts of a tenant sum to zero, per currency.
select
    tenant_key,
    currency as subject,
    format(
        'the ledger accounts sum to %s minor units instead of zero. See the check journal_balances for the entry.',
        sum(amount_minor)
    ) as message
from postings
group by tenant_key, currency
having sum(amount_minor) <> 0
