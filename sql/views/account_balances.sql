-- Balance per ledger account and currency over the whole journal. Minor units, debits positive.
create view account_balances with (security_invoker = true) as
select
    tenant_key,
    ledger_account,
    currency,
    sum(amount_minor)::bigint as balance_minor
from postings
group by tenant_key, ledger_account, currency
