-- The tax of a group is base times rate, rounded once half away from zero; its base is its lines.
-- Stacked taxes are rounded one by one. A credit note whose last credit takes the remaining minor unit,
-- and tax that is inside prices, may be off by one.
with bases as (
    select tenant_key, invoice_number, tax_code, tax_rate, sum(net_minor) as base_minor
    from invoice_lines group by tenant_key, invoice_number, tax_code, tax_rate
),

parts as (
    select
        tenant_key, invoice_number, tax_code, tax_rate,
        coalesce(part ->> 'is_included', 'false')::boolean as is_included,
        (part ->> 'percent')::numeric as percent
    from invoice_taxes
    cross join lateral jsonb_array_elements(parts::jsonb) as part
    where parts is not null
),

stacked as (
    select
        tenant_key, invoice_number, tax_code, tax_rate, bool_or(is_included) as is_included,
        sum(round(bases.base_minor * percent / 100)) as tax_minor
    from parts inner join bases using (tenant_key, invoice_number, tax_code, tax_rate)
    group by tenant_key, invoice_number, tax_code, tax_rate
)

select
    tenant_key,
    concat(invoice_number, ' ', tax_code, ' ', trim_scale(tax_rate)) as subject,
    format(
        'the group says tax %s on %s; its lines sum to %s and %s %% of that is %s. Hold the document.',
        invoice_taxes.tax_minor, invoice_taxes.base_minor, coalesce(bases.base_minor::text, 'nothing'),
        trim_scale(tax_rate),
        coalesce(stacked.tax_minor, round(coalesce(bases.base_minor, 0) * tax_rate / 100))
    ) as message,
    invoices.account_key
from invoice_taxes
full join bases using (tenant_key, invoice_number, tax_code, tax_rate)
left join stacked using (tenant_key, invoice_number, tax_code, tax_rate)
inner join invoices using (tenant_key, invoice_number)
where invoice_taxes.base_minor is distinct from bases.base_minor
    or abs(invoice_taxes.tax_minor - coalesce(stacked.tax_minor, round(bases.base_minor * tax_rate / 100)))
    > case when invoices.document_kind = 'credit_note' or coalesce(stacked.is_included, false) then 1 else 0 end
