-- Every issued document with an amount is the source of a journal entry.
select
    invoices.tenant_key,
    invoices.invoice_number,
    invoices.total_minor
from invoices
where
    (invoices.net_minor <> 0 or invoices.tax_minor <> 0)
    and not exists (
        select from journal_entries
        where
            journal_entries.tenant_key = invoices.tenant_key
            and journal_entries.source_key = invoices.invoice_number
    )
