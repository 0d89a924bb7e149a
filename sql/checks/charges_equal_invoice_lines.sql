-- Every posted charge with money stands on one line with the same amount, and every line is one.
select
    coalesce(charges.tenant_key, invoice_lines.tenant_key) as tenant_key,
    concat(
        coalesce(charges.charge_key, invoice_lines.charge_key), '#',
        coalesce(charges.posting_number, invoice_lines.posting_number)
    ) as subject,
    format(
        'posted with %s minor units, invoiced with %s. Hold the hand-off and compare the charge with its line by its trace.',
        coalesce(charges.net_minor::text, 'nothing'), coalesce(invoice_lines.net_minor::text, 'nothing')
    ) as message
from (select * from charges where net_minor <> 0 or invoice_number is not null) as charges
full join invoice_lines using (tenant_key, charge_key, posting_number)
where charges.net_minor is distinct from invoice_lines.net_minor
    or charges.invoice_number is distinct from invoice_lines.invoice_number
    or charges.line_number is distinct from invoice_lines.line_number
