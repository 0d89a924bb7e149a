-- Every document's amounts are the sums of its lines and taxes, and its total is their sum.
select
    invoices.tenant_key,
    invoices.invoice_number,
    invoices.net_minor,
    invoices.tax_minor,
    lines.net_minor as lines_minor,
    coalesce(taxes.tax_minor, 0) as taxes_minor
from invoices
left join (
    select
        tenant_key,
        invoice_number,
        sum(net_minor) as net_minor
    from invoice_lines
    group by tenant_key, invoice_number
) as lines using (tenant_key, invoice_number)
left join (
    select
        tenant_key,
        invoice_number,
        sum(base_minor) as base_minor,
        sum(tax_minor) as tax_minor
    from invoice_taxes
    group by tenant_key, invoice_number
) as taxes using (tenant_key, invoice_number)
where
    lines.net_minor is distinct from invoices.net_minor
    or coalesce(taxes.tax_minor, 0) <> invoices.tax_minor
    or taxes.base_minor <> invoices.net_minor
    or invoices.net_minor + invoices.tax_minor <> invoices.total_minor
