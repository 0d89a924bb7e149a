-- A document's net is the sum of its lines and its tax the sum of its tax groups.
with line_sums as (
    select tenant_key, invoice_number, sum(net_minor) as net_minor
    from invoice_lines group by tenant_key, invoice_number
),

tax_sums as (
    select tenant_key, invoice_number, sum(tax_minor) as tax_minor, sum(base_minor) as base_minor
    from invoice_taxes group by tenant_key, invoice_number
)

select
    tenant_key,
    invoice_number as subject,
    format(
        'says net %s, tax %s, total %s; its lines sum to %s, its tax groups to %s on %s. Correct it with a credit note and a new document.',
        invoices.net_minor, invoices.tax_minor, invoices.total_minor,
        coalesce(line_sums.net_minor::text, 'nothing'), coalesce(tax_sums.tax_minor::text, 'nothing'),
        coalesce(tax_sums.base_minor::text, 'nothing')
    ) as message,
    invoices.account_key
from invoices
left join line_sums using (tenant_key, invoice_number)
left join tax_sums using (tenant_key, invoice_number)
where invoices.net_minor is distinct from line_sums.net_minor
    or invoices.tax_minor <> coalesce(tax_sums.tax_minor, 0)
    or invoices.net_minor is distinct from tax_sums.base_minor
    or invoices.total_minor <> invoices.net_minor + invoices.tax_minor
