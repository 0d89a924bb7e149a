-- Tax invoiced by month of issue, code and rate: what the tax return asks for.
create view tax_report with (security_invoker = true) as
select
    invoice_taxes.tenant_key,
    date_trunc('month', invoices.bill_day)::date as month,
    invoice_taxes.tax_code,
    invoice_taxes.tax_rate,
    invoices.currency,
    count(distinct invoices.invoice_number) as documents,
    sum(invoice_taxes.base_minor) as base_minor,
    sum(invoice_taxes.tax_minor) as tax_minor,
    major_amount(sum(invoice_taxes.base_minor), invoices.currency) as base,
    major_amount(sum(invoice_taxes.tax_minor), invoices.currency) as tax
from invoice_taxes
inner join invoices using (tenant_key, invoice_number)
group by invoice_taxes.tenant_key, month, invoice_taxes.tax_code, invoice_taxes.tax_rate, invoices.currency;
