-- 0020 Tax details: tax in the seller's tax currency, stacked taxes, and what e-invoices ask for.
-- Why on the document: the rate is taken once, when it is issued, and must be found again later.

alter table accounts
    add column buyer_reference    text,
    add column electronic_address text,
    add column einvoice_profile   text
    check (einvoice_profile in ('en16931', 'xrechnung', 'peppol'));

alter table invoices
    add column tax_currency       text,
    add column tax_currency_minor bigint,
    add column fx_rate            numeric(38, 10) check (fx_rate > 0),
    add column fx_date            date,
    add column fx_source          text,
    add constraint invoices_convert_tax_with_a_known_rate
    check (num_nulls(tax_currency, tax_currency_minor, fx_rate, fx_date, fx_source) in (0, 5));

alter table invoice_taxes add column parts text;  -- JSON: label, percent and tax_minor of each
