"""Frames customers hands on: the rows of the tenant folder's CSV files, parsed and checked."""

import polars as pl

from billing_pipeline.vocabulary.frames import UTC_INSTANT, FrameSchema, optional, required
from billing_pipeline.vocabulary.money import AMOUNT, QUANTITY

ACCOUNTS = FrameSchema(
    name="accounts",
    grain="one row per billing account",
    columns={
        "account_key": required(pl.String, "the tenant's own account number"),
        "name": required(pl.String, "company or person billed"),
        "account_type": required(pl.String, "individual, business, reseller or the tenant's own"),
        "payer_key": required(pl.String, "account that pays; itself by default"),
        "parent_key": optional(pl.String, "parent in the account hierarchy"),
        "currency": required(pl.String, "ISO 4217 code"),
        "opened_on": required(pl.Date, "local day; anchor of anniversary cycles"),
        "closed_on": optional(pl.Date, "local day after the last"),
        "payment_terms_days": required(pl.Int64, "days from issue to due date"),
        "language": required(pl.String, "locale of its documents, e.g. en_GB"),
        "street": required(pl.String, "street and number"),
        "city": required(pl.String, "city"),
        "postal_code": required(pl.String, "postal code"),
        "region": optional(pl.String, "state, province or county"),
        "country": required(pl.String, "ISO 3166 two letters"),
        "vat_number": optional(pl.String, "VAT or tax registration"),
        "email": optional(pl.String, "address documents are sent to"),
        "agent": optional(pl.String, "agent who earns commission"),
        "buyer_reference": optional(pl.String, "reference the buyer wants (BT-10)"),
        "electronic_address": optional(pl.String, "scheme:identifier of the buyer (BT-49)"),
        "einvoice_profile": optional(pl.String, "en16931, xrechnung or peppol"),
        "payment_method": optional(pl.String, "bank_transfer (if null), direct_debit or card"),
        "mandate_reference": optional(pl.String, "direct debit mandate it signed (BT-89)"),
        "debited_iban": optional(pl.String, "account the mandate debits (BT-91)"),
    },
)

SUBSCRIPTIONS = FrameSchema(
    name="subscriptions",
    grain="one row per subscription",
    columns={
        "subscription_key": required(pl.String, "the tenant's own subscription number"),
        "account_key": required(pl.String, "billing account"),
        "plan_key": required(pl.String, "plan"),
        "quantity": required(QUANTITY, "how many of the plan"),
        "started_on": required(pl.Date, "first local day"),
        "ended_on": optional(pl.Date, "local day after the last"),
        "discount_key": optional(pl.String, "discount of plans.yaml agreed for it"),
        "label": optional(pl.String, "text for the invoice, e.g. a number or site"),
        "payment_terms_days": optional(pl.Int64, "days from issue to due date; before the account"),
    },
)

SUBSCRIPTION_CHANGES = FrameSchema(
    name="subscription_changes",
    grain="one row per change of a subscription; a null leaves as it was what it would set",
    columns={
        "subscription_key": required(pl.String, "subscription"),
        "effective_on": required(pl.Date, "local day from which the change holds"),
        "plan_key": optional(pl.String, "new plan"),
        "quantity": optional(QUANTITY, "new quantity"),
        "status": optional(pl.String, "active, suspended or cancelled"),
    },
)

SUBSCRIPTION_DISCOUNTS = FrameSchema(
    name="subscription_discounts",
    grain="one row per discount a subscription agreed to beside its own discount_key",
    columns={
        "subscription_key": required(pl.String, "subscription"),
        "discount_key": required(pl.String, "discount of plans.yaml"),
        "valid_from": optional(pl.Date, "first local day; null is from the start"),
        "valid_until": optional(pl.Date, "local day after the last; null is open"),
    },
)

AGREED_PRICES = FrameSchema(
    name="agreed_prices",
    grain="one row per recurring price agreed with one subscription and span it is agreed for",
    columns={
        "subscription_key": required(pl.String, "subscription"),
        "price_key": required(pl.String, "flat price of its plan that costs otherwise"),
        "amount": required(AMOUNT, "agreed amount per period and unit of quantity"),
        "valid_from": required(pl.Date, "first local day"),
        "valid_until": optional(pl.Date, "local day after the last; null is open"),
    },
)

PROVISIONING_EVENTS = FrameSchema(
    name="provisioning_events",
    grain="one row per change of a subscription that other systems act on",
    columns={
        "subscription_key": required(pl.String, "subscription"),
        "account_key": required(pl.String, "billing account"),
        "what": required(pl.String, "status, plan or quantity"),
        "from_value": optional(pl.String, "what it was; null: the subscription begins"),
        "to_value": required(pl.String, "what it is from that day on"),
        "effective_on": required(pl.Date, "local day from which it holds"),
        "plan_key": required(pl.String, "plan from that day on"),
        "quantity": required(QUANTITY, "quantity from that day on"),
    },
)

SERVICE_IDENTIFIERS = FrameSchema(
    name="service_identifiers",
    grain="one row per identifier, prefix or range and span in which its state is one",
    columns={
        "identifier": required(pl.String, "normalised: E.164 digits, meter, interface, key ..."),
        "subscription_key": optional(pl.String, "owner; null unless assigned"),
        "valid_from": required(UTC_INSTANT, "from this instant"),
        "valid_until": optional(UTC_INSTANT, "until before this instant; null is open"),
        "match": required(pl.String, "exact, prefix (4416) or range (100-199, 10.0.0.0/24)"),
        "status": required(pl.String, "in_stock, assigned, ported_out or quarantined"),
    },
)

IDENTIFIERS_OF_TENANTS = FrameSchema(
    name="identifiers_of_tenants",
    grain="one row per tenant, identifier and span",
    columns={
        "tenant_key": required(pl.String, "tenant that configured it"),
        **SERVICE_IDENTIFIERS.columns,
    },
)
