-- The tax of a group is base times rate, rounded once half away from zero; its base is its lines.
-- A credit note whose last credit takes the remaining minor unit may be off by that one.
-- severity: block, owner: invoicing
with bases as (
    select tenant_key, invoice_number, tax_code, tax_rate, sum(net_minor) as base_minor
    from invoice_lines group by tenant_key, invoice_number, tax_code, tax_rate
)

select
    tenant_key,
    concat(invoice_number, ' ', tax_code, ' ', trim_scale(tax_rate)) as subject,
    format(
        'the group says tax %s on %s; its lines sum to %s and %s %% of that is %s. Hold the document.',
        invoice_taxes.tax_minor, invoice_taxes.base_minor, coalesce(bases.base_minor::text, 'nothing'),
        trim_scale(tax_rate), round(coalesce(bases.base_minor, 0) * tax_rate / 100)
    ) as message,
    invoices.account_key
from invoice_taxes
full join bases using (tenant_key, invoice_number, tax_code, tax_rate)
inner join invoices using (tenant_key, invoice_number)
where invoice_taxes.base_minor is distinct from bases.base_minor
    or abs(invoice_taxes.tax_minor - round(bases.base_minor * tax_rate / 100))
    > case invoices.document_kind when 'credit_note' then 1 else 0 end
