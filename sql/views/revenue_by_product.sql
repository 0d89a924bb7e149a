-- Invoiced net amounts per product, month of the bill day and currency. Minor units.
create view revenue_by_product with (security_invoker = true) as
select
    lines.tenant_key,
    lines.product_key,
    lines.currency,
    date_trunc('month', invoices.bill_day)::date as bill_month,
    count(*) as lines,
    sum(lines.net_minor)::bigint as net_minor
from invoice_lines as lines
inner join invoices using (tenant_key, invoice_number)
group by lines.tenant_key, lines.product_key, lines.currency, bill_month
