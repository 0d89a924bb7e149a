"""Frames accounting hands on."""

import polars as pl

from billing_pipeline.vocabulary.frames import FrameSchema, optional, required
from billing_pipeline.vocabulary.money import AMOUNT, QUANTITY

JOURNAL_ENTRIES = FrameSchema(
    name="journal_entries",
    grain="one row per business fact booked",
    columns={
        "entry_key": required(pl.String, "natural key: posting rule/source"),
        "posting_rule": required(pl.String, "rule of accounting/posting_rules.py"),
        "source_key": required(pl.String, "number of the invoice or credit note it records"),
        "account_key": optional(pl.String, "billing account"),
        "booked_date": required(pl.Date, "local posting date"),
        "currency": required(pl.String, "ISO 4217 code; one per entry"),
        "narration": required(pl.String, "text"),
        "due_date": optional(pl.Date, "local day payment is due, where something is to be paid"),
        "belongs_to": optional(pl.Date, "day of the fact, where its period was closed by then"),
        "reverses": optional(pl.String, "entry key of the entry this one takes back"),
    },
)

POSTINGS = FrameSchema(
    name="postings",
    grain="one row per side of an entry; debits positive, credits negative",
    columns={
        "entry_key": required(pl.String, "entry"),
        "posting_number": required(pl.Int64, "position in the entry, from 1"),
        "ledger_account": required(pl.String, "account of the tenant's chart"),
        "role": required(pl.String, "what the posting is for: a LedgerRole"),
        "product_key": optional(pl.String, "product of a revenue posting"),
        "tax_code": optional(pl.String, "EN 16931 category of what was sold, or of the tax"),
        "tax_rate": optional(pl.Decimal(9, 4), "per cent"),
        "tax_base_minor": optional(pl.Int64, "of a tax posting: what it is worked out on, signed"),
        "cost_centre": optional(pl.String, "cost centre of the tenant's chart"),
        "currency": required(pl.String, "ISO 4217 code"),
        "amount_minor": required(pl.Int64, "minor units; debits positive"),
    },
)

JOURNAL = FrameSchema(
    name="journal",
    grain="one row per posting with its entry: what every hand-off format renders",
    columns={
        "entry_number": required(pl.Int64, "gapless per tenant, in booking order"),
        **JOURNAL_ENTRIES.columns,
        **{
            name: column
            for name, column in POSTINGS.columns.items()
            if name not in ("entry_key", "currency")
        },
    },
)

INTERCOMPANY = FrameSchema(
    name="intercompany",
    grain="one row per period, product and currency one tenant supplied to another",
    columns={
        "period": required(pl.String, "period it was supplied in, e.g. 2026-01"),
        "product_key": required(pl.String, "product of the seller"),
        "currency": required(pl.String, "ISO 4217 code"),
        "amount_minor": required(pl.Int64, "agreed price, minor units"),
    },
)

FISCAL_PERIODS = FrameSchema(
    name="fiscal_periods",
    grain="one row per fiscal period of a tenant",
    columns={
        "first_day": required(pl.Date, "first local day"),
        "until_day": required(pl.Date, "local day after the last"),
        "state": required(pl.String, "open, closed or locked"),
    },
)

MARGINS = FrameSchema(
    name="margins",
    grain="one row per product, supplier, destination and currency",
    columns={
        "product_key": required(pl.String, "product sold"),
        "supplier": optional(pl.String, "deck the cost came from"),
        "rate_name": optional(pl.String, "destination"),
        "currency": required(pl.String, "ISO 4217 code"),
        "events": required(pl.Int64, "rated events"),
        "revenue": required(AMOUNT, "event prices, exact"),
        "cost": required(AMOUNT, "supplier cost, exact"),
        "margin": required(AMOUNT, "revenue less cost"),
    },
)

USAGE_TREND = FrameSchema(
    name="usage_trend",
    grain="one row per product and local day with rated usage",
    columns={
        "product_key": required(pl.String, "product"),
        "local_date": required(pl.Date, "local day"),
        "events": required(pl.Int64, "rated events"),
        "units": required(QUANTITY, "billable units"),
    },
)

CUSTOMERS = FrameSchema(
    name="customers",
    grain="one row per account that pays, as one accounting system is told of it",
    columns={
        "customer": required(pl.String, "its name in that system's files"),
        "account_key": required(pl.String, "the tenant's own account number"),
        "name": required(pl.String, "company or person billed"),
        "account_type": required(pl.String, "individual, business, reseller or the tenant's own"),
        "street": required(pl.String, "street and number"),
        "city": required(pl.String, "city"),
        "postal_code": required(pl.String, "postal code"),
        "region": optional(pl.String, "state, province or county"),
        "country": required(pl.String, "ISO 3166 two letters"),
        "vat_number": optional(pl.String, "VAT or tax registration"),
        "email": optional(pl.String, "address documents are sent to"),
        "currency": required(pl.String, "ISO 4217 code"),
        "language": required(pl.String, "locale of its documents"),
        "payment_terms_days": required(pl.Int64, "days from issue to due date"),
        "payment_method": optional(pl.String, "bank_transfer (if null), direct_debit or card"),
        "opened_on": required(pl.Date, "local day"),
        "closed_on": optional(pl.Date, "local day after the last"),
    },
)
