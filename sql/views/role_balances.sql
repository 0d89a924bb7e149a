-- What each role of the journal moved in a month and stands at by its end: receivables, deferred
-- revenue, unbilled revenue, tax payable. Debits positive.
create view role_balances with (security_invoker = true) as
select
    postings.tenant_key,
    postings.role,
    postings.currency,
    date_trunc('month', journal_entries.booked_date)::date as month,
    sum(postings.amount_minor) as movement_minor,
    sum(sum(postings.amount_minor)) over (
        partition by postings.tenant_key, postings.role, postings.currency
        order by date_trunc('month', journal_entries.booked_date)
    ) as balance_minor
from postings
inner join journal_entries using (tenant_key, entry_number)
group by postings.tenant_key, postings.role, postings.currency, date_trunc('month', journal_entries.booked_date);
