-- Every invoice line is the posting of one charge, with the same amount, and the reverse.
select
    coalesce(lines.tenant_key, charges.tenant_key) as tenant_key,
    coalesce(lines.invoice_number, charges.invoice_number) as invoice_number,
    coalesce(lines.line_number, charges.line_number) as line_number,
    lines.net_minor as line_minor,
    charges.net_minor as charge_minor
from invoice_lines as lines
full join (select * from charges where invoice_number is not null) as charges
    using (tenant_key, invoice_number, line_number)
where lines.net_minor is distinct from charges.net_minor
