-- What a tax return asks for: base and tax per code, rate and month of the bill day. Minor units.
create view tax_by_rate with (security_invoker = true) as
select
    taxes.tenant_key,
    taxes.tax_code,
    taxes.tax_rate,
    invoices.currency,
    date_trunc('month', invoices.bill_day)::date as bill_month,
    sum(taxes.base_minor)::bigint as base_minor,
    sum(taxes.tax_minor)::bigint as tax_minor
from invoice_taxes as taxes
inner join invoices using (tenant_key, invoice_number)
group by taxes.tenant_key, taxes.tax_code, taxes.tax_rate, invoices.currency, bill_month
