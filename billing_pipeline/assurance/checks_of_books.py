"""The controls that are queries over the books, as data; the queries lie in `sql/checks`."""

from billing_pipeline.assurance.control import Control

CHECKS = (
    Control("conservation_holds", "mediation", "block", "stages keep records and quantity"),
    Control("usage_after_masking", "mediation", "warn", "nothing comes for masked days"),
    Control("identifiers_have_one_owner", "customers", "block", "identifiers have one owner"),
    Control("rate_card_prices_do_not_overlap", "pricing", "block", "cards have one price a day"),
    Control("bill_days_without_gaps", "billing", "block", "no bill day is skipped"),
    Control("service_periods_charged_once", "billing", "block", "no service day is posted twice"),
    Control("credits_within_charges", "billing", "block", "no more is given back than charged"),
    Control("charges_equal_invoice_lines", "invoicing", "block", "charges are invoiced exactly"),
    Control("invoices_equal_their_lines", "invoicing", "block", "documents add up"),
    Control("taxes_recomputed", "invoicing", "block", "tax is base times rate, rounded once"),
    Control("invoice_numbers_without_gaps", "invoicing", "block", "number series have no gap"),
    Control("journal_equals_invoices", "accounting", "block", "documents are booked once"),
    Control("payments_equal_journal", "accounting", "block", "payments are booked once"),
    Control("journal_balances", "accounting", "block", "debits equal credits"),
    Control("journal_numbers_without_gaps", "accounting", "block", "no journal entry is missing"),
    Control("trial_balance_is_zero", "accounting", "block", "all ledger accounts sum to zero"),
    Control("handoffs_follow", "accounting", "block", "every entry is handed over once"),
    Control("handoff_equals_journal", "accounting", "block", "batches hold what was booked"),
)
"""One for every file of `sql/checks`, by its name; a tenant sets them like any other control."""
