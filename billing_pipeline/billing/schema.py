"""Frames billing hands on."""

import polars as pl

from billing_pipeline.vocabulary.frames import FrameSchema, optional, required
from billing_pipeline.vocabulary.money import AMOUNT, QUANTITY

_CHARGE = {
    "charge_key": required(pl.String, "natural key: subscription/price/kind/service_from"),
    "account_key": required(pl.String, "billing account that owes it"),
    "subscription_key": optional(pl.String, "subscription it comes from"),
    "product_key": required(pl.String, "product"),
    "price_key": required(pl.String, "price, discount or minimum that made it"),
    "charge_kind": required(
        pl.String, "recurring, one_time, usage, discount, minimum, termination"
    ),
    "description": required(pl.String, "text of the invoice line"),
    "service_from": required(pl.Date, "first local day of service"),
    "service_until": required(pl.Date, "local day after the last day of service"),
    "bill_from": required(pl.Date, "local day from which it is to be billed"),
    "quantity": required(QUANTITY, "quantity charged"),
    "unit": required(pl.String, "unit of quantity, for people"),
    "unit_price": optional(AMOUNT, "price per unit; null where tiers or rates differ"),
    "amount": required(AMOUNT, "exact amount that should exist in total, major units"),
    "currency": required(pl.String, "ISO 4217 code"),
    "tax_category": required(pl.String, "tax category of the product in taxes.yaml"),
    "proration": optional(pl.String, "proration rule and fraction used, for people"),
    "events": required(pl.Int64, "rated events behind it; zero if none"),
}

CHARGES = FrameSchema(
    name="charges",
    grain="one row per charge that should exist",
    columns=_CHARGE,
)

POSTED = FrameSchema(
    name="posted_charges",
    grain="one row per charge key already posted, all postings summed",
    columns={
        **_CHARGE,
        "posted_amount": required(AMOUNT, "sum of what was posted, major units"),
        "posted_minor": required(pl.Int64, "sum of what was invoiced for it, minor units"),
        "postings": required(pl.Int64, "number of postings so far"),
        "invoice_number": optional(pl.String, "document of the first posting"),
    },
)

TO_POST = FrameSchema(
    name="charges_to_post",
    grain="one row per charge whose computed amount differs from what was posted",
    columns={
        **_CHARGE,
        "posted_amount": required(AMOUNT, "what was posted before, major units"),
        "posted_minor": required(pl.Int64, "what was invoiced before, minor units"),
        "posted_quantity": required(QUANTITY, "quantity posted last; 0 for a new charge"),
        "posting_number": required(pl.Int64, "1 for a new charge, then 2, 3 ... corrections"),
        "difference": required(AMOUNT, "amount less posted_amount: what to post now"),
        "corrects_invoice": optional(pl.String, "document the correction refers to"),
        "reason": required(pl.String, "new, increased, decreased or withdrawn"),
    },
)

BILLED_ACCOUNTS = FrameSchema(
    name="billed_accounts",
    grain="one row per account whose charges were computed for a bill day, all of them",
    columns={
        "account_key": required(pl.String, "billing account that is due"),
        "revision": required(pl.Int64, "revision of the tenant's configuration they rest on"),
    },
)

HELD_ACCOUNTS = FrameSchema(
    name="held_accounts",
    grain="one row per account and bound that its charges break",
    columns={
        "account_key": required(pl.String, "billing account that is held"),
        "bound": required(pl.String, "duplicate_period, most_charges, jump or past_last_tier"),
        "message": required(pl.String, "what is wrong, for people"),
    },
)

BILL_PREVIEWS = FrameSchema(
    name="bill_previews",
    grain="one row per bill day and account that was previewed",
    columns={
        "bill_day": required(pl.Date, "local bill day"),
        "account_key": required(pl.String, "billing account"),
        "amount": required(AMOUNT, "net amount to post, major units"),
        "charges": required(pl.Int64, "charges to post"),
    },
)

PREVIEWED_ACCOUNTS = FrameSchema(
    name="previewed_accounts",
    grain="one row per account of a previewed bill day",
    columns={
        "account_key": required(pl.String, "billing account"),
        "way": required(pl.String, "post, reported, awaiting_approval or held"),
        "amount": required(AMOUNT, "net amount of all differences, major units"),
        "charges": required(pl.Int64, "differences"),
        "corrections": required(pl.Int64, "of them changes of what was posted before"),
        "last_amount": optional(AMOUNT, "its last bill; null if it had none"),
        "change": optional(AMOUNT, "amount less its last bill"),
        "change_percent": optional(pl.Int64, "the same in per cent of its last bill"),
        "since_preview": optional(AMOUNT, "amount less the last preview; null if it had none"),
    },
)

DRAFT_BILLS = FrameSchema(
    name="draft_bills",
    grain="one row per account with an open period: its next bill as it stands",
    columns={
        "account_key": required(pl.String, "billing account"),
        "next_bill_day": required(pl.Date, "local day it is billed next"),
        "drafted_on": required(pl.Date, "local day the draft is of"),
        "charges": required(pl.Int64, "charges not yet posted"),
        "usage_amount": required(AMOUNT, "of these usage up to now, major units"),
        "amount": required(AMOUNT, "all of them, major units"),
        "expected": required(AMOUNT, "the next bill if usage goes on as it did"),
        "currency": required(pl.String, "ISO 4217 code"),
    },
)

USAGE_ALERTS = FrameSchema(
    name="usage_alerts",
    grain="one row per account, bill and threshold its usage has reached",
    columns={
        "account_key": required(pl.String, "billing account"),
        "next_bill_day": required(pl.Date, "local day the usage is billed"),
        "threshold": required(AMOUNT, "amount that was reached, major units"),
        "usage_amount": required(AMOUNT, "usage when it was"),
        "expected": required(AMOUNT, "the next bill if usage goes on as it did"),
        "currency": required(pl.String, "ISO 4217 code"),
    },
)

DRAFT_ALERTS = FrameSchema(
    name="draft_alerts",
    grain="one row per account, bill, subject and threshold that was reached",
    columns={
        "account_key": required(pl.String, "billing account"),
        "next_bill_day": required(pl.Date, "local day the open period is billed"),
        "kind": required(pl.String, "included_units or expected_bill"),
        "subject": required(pl.String, "the pool and who has it, or the account"),
        "threshold": required(AMOUNT, "per cent of the pool, or an amount in major units"),
        "reached": required(AMOUNT, "what it was when the threshold was found reached"),
        "unit": required(pl.String, "%, or the ISO 4217 code"),
    },
)

PLAN_COMPARISON = FrameSchema(
    name="plan_comparison",
    grain="one row per subscription and plan: what it would have paid",
    columns={
        "account_key": required(pl.String, "billing account"),
        "subscription_key": required(pl.String, "subscription"),
        "plan_key": required(pl.String, "plan compared"),
        "is_current": required(pl.Boolean, "whether the subscription is on this plan"),
        "amount": required(AMOUNT, "what it would have paid over the window, major units"),
        "saving": required(AMOUNT, "what the current plan costs more; negative if less"),
        "currency": required(pl.String, "ISO 4217 code"),
        "unpriced_events": required(pl.Int64, "events the plan has no price for"),
        "is_recommended": required(pl.Boolean, "cheapest plan that prices everything"),
    },
)

PLAN_RECOMMENDATIONS = FrameSchema(
    name="plan_recommendations",
    grain="one row per subscription that a plan was compared for",
    columns={
        "subscription_key": required(pl.String, "subscription"),
        "account_key": required(pl.String, "billing account"),
        "current_plan": required(pl.String, "plan it has"),
        "recommended_plan": required(pl.String, "cheapest plan that prices everything"),
        "current_amount": required(AMOUNT, "what it paid over the window, major units"),
        "recommended_amount": required(AMOUNT, "what it would have paid"),
        "saving": required(AMOUNT, "the difference; zero where the plan it has is the best"),
        "currency": required(pl.String, "ISO 4217 code"),
        "window_from": required(pl.Date, "first local day compared"),
        "window_until": required(pl.Date, "local day after the last"),
    },
)

UNBILLED_USAGE = FrameSchema(
    name="unbilled_usage",
    grain="one row per subscription, price and local day of usage that no charge takes",
    columns={
        "account_key": required(pl.String, "billing account"),
        "subscription_key": required(pl.String, "subscription"),
        "price_key": required(pl.String, "price the usage was rated with"),
        "local_date": required(pl.Date, "local day of the usage"),
        "quantity": required(QUANTITY, "measured quantity"),
        "events": required(pl.Int64, "rated events"),
    },
)
