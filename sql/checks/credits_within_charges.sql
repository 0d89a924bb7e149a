-- What was given back of a charge never exceeds what was charged; a discount never turns positive.
select
    tenant_key,
    charge_key as subject,
    format(
        'all postings of the charge sum to %s minor units. Hold the account and look at its corrections.',
        sum(net_minor)
    ) as message,
    max(account_key) as account_key
from charges
group by tenant_key, charge_key, charge_kind
having case when charge_kind = 'discount' then sum(net_minor) > 0 else sum(net_minor) < 0 end
