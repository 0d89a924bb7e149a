-- Every ledger account: all debits, all credits, and the balance, debits positive.
create view trial_balance with (security_invoker = true) as
select
    tenant_key,
    ledger_account,
    currency,
    sum(greatest(amount_minor, 0)) as debit_minor,
    -sum(least(amount_minor, 0)) as credit_minor,
    sum(amount_minor) as balance_minor,
    major_amount(sum(amount_minor), currency) as balance
from postings
group by tenant_key, ledger_account, currency;
