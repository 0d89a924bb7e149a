-- Two months of one brand, worked by hand: 20.00 a month in advance, 5.00 of calls of which 1.00 is
-- given back in the second month; 20 % VAT. Invoices 30.00 and 22.80.
insert into tenants (tenant_key, parent_key, name, kind, currency, time_zone, bill_hour, document, revision)
values
    ('group', null, 'Group', 'company', 'GBP', 'Europe/London', 2, '{}', 1),
    ('voice', 'group', 'Voice', 'brand', 'GBP', 'Europe/London', 2, '{}', 1),
    ('other', null, 'Other', 'brand', 'GBP', 'Europe/London', 2, '{}', 1);

insert into accounts (
    tenant_key, account_key, name, account_type, payer_key, currency, opened_on, payment_terms_days, language,
    street, city, postal_code, country, revision, known_from
) values (
    'voice', '10001', 'Acme', 'business', '10001', 'GBP', '2026-01-01', 14, 'en_GB',
    '1 Road', 'London', 'N1', 'GB', 1, '2026-01-01'
);

insert into subscriptions (tenant_key, subscription_key, account_key, plan_key, quantity, started_on, revision, known_from)
values ('voice', 's1', '10001', 'basic', 1, '2026-01-01', 1, '2026-01-01');

insert into service_identifiers (tenant_key, identifier, subscription_key, valid_from, revision, known_from)
values ('voice', '442071234567', 's1', '2026-01-01', 1, '2026-01-01');

insert into rate_card_prices (
    tenant_key, card_key, valid_from, valid_until, prefix, band, name, unit_price, connection_fee, minimum_units,
    increment_units, revision, known_from
) values
    ('voice', 'retail', '2026-01-01', '2026-02-01', '44', '', 'UK', 0.05, 0, 1, 1, 1, '2026-01-01'),
    ('voice', 'retail', '2026-02-01', null, '44', '', 'UK', 0.06, 0, 1, 1, 1, '2026-01-01');

insert into conservation (
    tenant_key, stage, partition_day, feed_key, records_in, accepted, duplicates, suspended, filtered, quantity_in,
    quantity_out
) values ('voice', 'rate', '2026-01-05', '', 100, 97, 0, 3, 0, 6000, 6000);

insert into usage_days (tenant_key, usage_day) values ('voice', '2026-01-05');
insert into rating_days (tenant_key, usage_day) values ('voice', '2026-01-05');

insert into bill_days (tenant_key, bill_day, due_at, state, completed_at)
select 'voice', day::date, day, 'completed', day from generate_series('2026-02-01'::timestamptz, '2026-02-03', '1 day') as day;

insert into invoice_number_series (tenant_key, series, number_year, last_number) values ('voice', 'invoice', 2026, 2);

insert into invoices (
    tenant_key, invoice_number, invoice_key, document_kind, series, account_key, bill_day, due_date, period_from,
    period_until, currency, net_minor, tax_minor, total_minor, issued_at
) values
    ('voice', 'INV-2026-000001', 'k1', 'invoice', 'invoice', '10001', '2026-02-01', '2026-02-15', '2026-01-01', '2026-03-01', 'GBP', 2500, 500, 3000, '2026-02-01'),
    ('voice', 'INV-2026-000002', 'k2', 'invoice', 'invoice', '10001', '2026-03-03', '2026-03-17', '2026-01-01', '2026-04-01', 'GBP', 1900, 380, 2280, '2026-03-03');

insert into charges (
    tenant_key, charge_key, posting_number, bill_day, account_key, subscription_key, product_key, price_key, charge_kind,
    description, service_from, service_until, bill_from, quantity, unit, amount, currency, tax_category, events,
    difference, reason, invoice_number, line_number, net_minor
) values
    ('voice', 's1/fee/1', 1, '2026-02-01', '10001', 's1', 'subscription', 'fee', 'recurring', 'Fee', '2026-01-01', '2026-02-01', '2026-02-01', 1, 'month', 20, 'GBP', 'standard', 0, 20, 'new', 'INV-2026-000001', 1, 2000),
    ('voice', 's1/calls', 1, '2026-02-01', '10001', 's1', 'calls', 'calls', 'usage', 'Calls', '2026-01-01', '2026-02-01', '2026-02-01', 100, 'min', 5, 'GBP', 'standard', 100, 5, 'new', 'INV-2026-000001', 2, 500),
    ('voice', 's1/fee/2', 1, '2026-03-03', '10001', 's1', 'subscription', 'fee', 'recurring', 'Fee', '2026-02-01', '2026-03-01', '2026-03-03', 1, 'month', 20, 'GBP', 'standard', 0, 20, 'new', 'INV-2026-000002', 1, 2000),
    ('voice', 's1/calls', 2, '2026-03-03', '10001', 's1', 'calls', 'calls', 'usage', 'Calls', '2026-01-01', '2026-02-01', '2026-02-01', 80, 'min', 4, 'GBP', 'standard', 80, -1, 'decreased', 'INV-2026-000002', 2, -100),
    ('voice', 's1/tiny', 1, '2026-03-03', '10001', 's1', 'calls', 'tiny', 'usage', 'Calls', '2026-02-01', '2026-03-01', '2026-03-03', 1, 'min', 0.001, 'GBP', 'standard', 1, 0.001, 'new', null, null, 0);

insert into invoice_lines (
    tenant_key, invoice_number, line_number, charge_key, posting_number, account_key, subscription_key, product_key,
    price_key, charge_kind, description, service_from, service_until, quantity, unit, net_minor, currency, tax_category,
    tax_code, tax_rate, events
)
select
    tenant_key, invoice_number, line_number, charge_key, posting_number, account_key, subscription_key, product_key,
    price_key, charge_kind, description, service_from, service_until, quantity, unit, net_minor, currency, tax_category,
    'S', 20, events
from charges where invoice_number is not null;

insert into invoice_taxes (tenant_key, invoice_number, tax_code, tax_rate, tax_label, base_minor, tax_minor) values
    ('voice', 'INV-2026-000001', 'S', 20, 'VAT 20 %', 2500, 500),
    ('voice', 'INV-2026-000002', 'S', 20, 'VAT 20 %', 1900, 380);

insert into journal_series (tenant_key, last_number) values ('voice', 2);

insert into journal_entries (
    tenant_key, entry_number, entry_key, posting_rule, source_key, account_key, booked_date, currency, narration
) values
    ('voice', 1, 'invoice/INV-2026-000001', 'invoice', 'INV-2026-000001', '10001', '2026-02-01', 'GBP', 'Invoice INV-2026-000001'),
    ('voice', 2, 'invoice/INV-2026-000002', 'invoice', 'INV-2026-000002', '10001', '2026-03-03', 'GBP', 'Invoice INV-2026-000002');

insert into postings (
    tenant_key, entry_number, posting_number, ledger_account, role, product_key, tax_code, tax_rate, currency, amount_minor
) values
    ('voice', 1, 1, '1100', 'receivable', null, null, null, 'GBP', 3000),
    ('voice', 1, 2, '4000', 'revenue', 'subscription', null, null, 'GBP', -2000),
    ('voice', 1, 3, '4010', 'revenue', 'calls', null, null, 'GBP', -500),
    ('voice', 1, 4, '2200', 'tax', null, 'S', 20, 'GBP', -500),
    ('voice', 2, 1, '1100', 'receivable', null, null, null, 'GBP', 2280),
    ('voice', 2, 2, '4000', 'revenue', 'subscription', null, null, 'GBP', -2000),
    ('voice', 2, 3, '4010', 'revenue', 'calls', null, null, 'GBP', 100),
    ('voice', 2, 4, '2200', 'tax', null, 'S', 20, 'GBP', -380);

insert into handoff_batches (
    tenant_key, format_name, batch_number, first_entry, last_entry, bill_day, path, sha256, totals, exported_at
) values (
    'voice', 'journal_csv', 1, 1, 1, '2026-02-01', 'p', repeat('0', 64),
    '[{"currency": "GBP", "debit_minor": 3000, "credit_minor": 3000}]', '2026-02-02'
);
