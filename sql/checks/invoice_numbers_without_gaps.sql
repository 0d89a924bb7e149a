-- Numbers of a series are 1, 2, 3 ... as many as documents, up to the last one allotted.
with issued as (
    select tenant_key, series, number_year, count(*) as documents
    from invoices group by tenant_key, series, number_year
)

select
    tenant_key,
    concat(series, ' ', number_year) as subject,
    format(
        '%s numbers allotted, %s documents issued. Find the missing document before the series is used again, and note the reason for the auditor.',
        coalesce(invoice_number_series.last_number, 0), coalesce(issued.documents, 0)
    ) as message
from invoice_number_series
full join issued using (tenant_key, series, number_year)
where invoice_number_series.last_number is distinct from issued.documents
