-- In every series and year there are as many documents as numbers were allotted.
select
    series.tenant_key,
    series.series,
    series.number_year,
    series.last_number,
    count(invoices.invoice_number) as documents
from invoice_number_series as series
left join invoices using (tenant_key, series, number_year)
group by series.tenant_key, series.series, series.number_year, series.last_number
having count(invoices.invoice_number) <> series.last_number
