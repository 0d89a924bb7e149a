-- Revenue booked, by tenant, month, product and currency. Credit notes reduce it.
create view revenue with (security_invoker = true) as
select
    postings.tenant_key,
    date_trunc('month', journal_entries.booked_date)::date as month,
    postings.product_key,
    postings.currency,
    count(distinct journal_entries.source_key) as documents,
    -sum(postings.amount_minor) as revenue_minor,
    major_amount(-sum(postings.amount_minor), postings.currency) as revenue
from postings
inner join journal_entries using (tenant_key, entry_number)
where postings.role in ('revenue', 'discount')
group by postings.tenant_key, month, postings.product_key, postings.currency;
