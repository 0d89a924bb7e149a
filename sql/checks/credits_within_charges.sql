-- What was given back of a charge never exceeds what was charged; what reduces a bill never turns positive:
-- a discount, or a one-time adjustment that was below zero when it was posted first.
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
having
    case
        when charge_kind = 'discount' then sum(net_minor) > 0
        when charge_kind = 'one_time' and (array_agg(net_minor order by posting_number))[1] < 0 then sum(net_minor) > 0
        else sum(net_minor) < 0
    end
