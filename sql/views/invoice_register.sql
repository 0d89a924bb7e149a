-- Every document with the name of who pays it, in series order.
create view invoice_register with (security_invoker = true) as
select
    invoices.tenant_key,
    invoices.invoice_number,
    invoices.document_kind,
    invoices.bill_day,
    invoices.due_date,
    invoices.account_key,
    accounts.name as account_name,
    accounts.country,
    accounts.vat_number,
    invoices.currency,
    invoices.net_minor,
    invoices.tax_minor,
    invoices.total_minor,
    major_amount(invoices.total_minor, invoices.currency) as total,
    invoices.corrects_invoice
from invoices
left join accounts
    on invoices.tenant_key = accounts.tenant_key
    and invoices.account_key = accounts.account_key
    and accounts.known_until is null;
