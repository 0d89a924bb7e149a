"""The stage on one screen: charges to post become documents to issue.

Charges of an account go to the account that pays; each payer gets one document per bill day and
currency: an invoice, or a credit note where the sum is negative. Where the tenant wants corrections
apart, what comes back is a credit note and what is owed more an invoice of its own. Amounts are
rounded here, once.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from billing_pipeline.catalog.fx_rates import FxRate
from billing_pipeline.catalog.taxes import TaxRate
from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.invoicing.lines import in_printing_order, worth_printing
from billing_pipeline.invoicing.payers import paying_accounts
from billing_pipeline.invoicing.schema import HELD, INVOICE_LINES, INVOICE_TAXES, INVOICES
from billing_pipeline.invoicing.stacked_tax import net_of_included_tax
from billing_pipeline.invoicing.tax import choose_rates, tax_point, taxes_by_group
from billing_pipeline.invoicing.tax_currency import in_tax_currency, known_rates, lacks_rate
from billing_pipeline.invoicing.tax_engine import TaxEngine, decided_by
from billing_pipeline.vocabulary.identifiers import natural_key
from billing_pipeline.vocabulary.money import to_minor_units

_DOCUMENT = ["payer_key", "currency", "is_outside_scope", "correction"]


@dataclass(frozen=True, eq=False)
class Drafts:
    """Documents to issue, without numbers; `held` are accounts that could not be drafted.

    Amounts are signed as the customer owes them: a credit note's totals are negative.
    """

    invoices: pl.DataFrame
    lines: pl.DataFrame
    taxes: pl.DataFrame
    held: pl.DataFrame


def draft_documents(
    to_post: pl.DataFrame,
    accounts: pl.DataFrame,
    tenant: Tenant,
    tax_rates: Sequence[TaxRate],
    bill_day: dt.date,
    *,
    fx_rates: Sequence[FxRate] = (),
    engine: TaxEngine | None = None,
) -> Drafts:
    """Draft the documents of one bill run from TO_POST and ACCOUNTS.

    Tax is decided by `engine` if the tenant has one, else by `tax_rates`.

    A payer with a line that no tax rate fits is held whole, with the reason; the rest goes on.
    Lines of category O stand on a document of their own. Source: EN 16931 BR-O-11 to BR-O-14.
    Raises: PayerCycle if accounts pay for each other in a circle.
    """
    entity = tenant.legal_entity
    priced = _priced(_billed_to_payers(to_post, accounts))
    if engine is None:
        taxed = choose_rates(priced, tax_rates, entity.country)
    else:
        taxed = decided_by(engine, priced, tenant)
    currencies = priced["currency"].unique().sort().to_list()
    rates = known_rates(currencies, entity.tax_currency, fx_rates, bill_day)
    judged = taxed.with_columns(
        # What was posted is net, so prices with tax inside compare what was promised.
        net_minor=pl.when("is_included").then("promised_minor").otherwise("net_minor"),
        is_outside_scope=(pl.col("tax_code") == "O").fill_null(value=False),
        lacks_fx_rate=lacks_rate(entity.tax_currency, rates),
        correction=_correction(tenant.billing_policy.corrections),
    )
    ready, held = _split_held(judged, bill_day)
    printed = net_of_included_tax(worth_printing(ready, _DOCUMENT), _DOCUMENT)
    taxes = taxes_by_group(printed, _DOCUMENT)
    documents = in_tax_currency(_documents(printed, taxes, bill_day), entity.tax_currency, rates)
    keys = documents.select(*_DOCUMENT, "invoice_key")
    return Drafts(
        invoices=INVOICES.conform(documents.sort("invoice_key")),
        lines=INVOICE_LINES.conform(in_printing_order(_with_key(printed, keys))),
        taxes=INVOICE_TAXES.conform(
            _with_key(taxes, keys).sort("invoice_key", maintain_order=True)
        ),
        held=HELD.conform(held),
    )


def _billed_to_payers(to_post: pl.DataFrame, accounts: pl.DataFrame) -> pl.DataFrame:
    """Charges with the payer and what of the payer decides tax and terms."""
    payer = accounts.select(
        "language",
        "country",
        "region",
        "vat_number",
        "payment_terms_days",
        payer_key="account_key",
        payer_currency="currency",
    )
    return to_post.join(
        paying_accounts(accounts), on="account_key", how="left", validate="m:1"
    ).join(payer, on="payer_key", how="left", validate="m:1")


def _priced(charges: pl.DataFrame) -> pl.DataFrame:
    """Round: what the charge should be in minor units, less what was invoiced for it."""
    should_be = to_minor_units(pl.col("amount"), pl.col("currency"))
    return charges.with_columns(
        net_minor=should_be - pl.col("posted_minor"),
        promised_minor=should_be - to_minor_units(pl.col("posted_amount"), pl.col("currency")),
        quantity=_printed_quantity(),
        tax_point=tax_point(pl.col("service_until"), pl.col("bill_from")),
    )


def _printed_quantity() -> pl.Expr:
    """What came or went since the last posting; the whole quantity if only its price changed."""
    change = pl.col("quantity") - pl.col("posted_quantity")
    is_change = (pl.col("posting_number") > 1) & (change != 0)
    return pl.when(is_change).then(change).otherwise("quantity")


def _correction(rule: str) -> pl.Expr:
    """Which document of corrections a line stands on; an empty string is the usual one."""
    nowhere = pl.lit("", dtype=pl.String)
    if rule != "own_documents":
        return nowhere
    less = pl.col("difference") < 0
    apart = pl.when(less).then(pl.lit("credit")).otherwise(pl.lit("debit"))
    return pl.when(pl.col("posting_number") > 1).then(apart).otherwise(nowhere)


def _split_held(lines: pl.DataFrame, bill_day: dt.date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Lines of payers that can be billed, and one row per payer and reason that cannot."""
    reason = (
        pl.when(pl.col("payer_key").is_null() | pl.col("country").is_null())
        .then(pl.lit("unknown_payer"))
        .when(pl.col("tax_code").is_null())
        .then(pl.lit("no_tax_rate"))
        .when("lacks_fx_rate")
        .then(pl.lit("no_fx_rate"))
    )
    owner = pl.coalesce("payer_key", "account_key")
    judged = lines.with_columns(held_account=owner, reason=reason)
    faulty = judged.filter(pl.col("reason").is_not_null())
    held = (
        faulty.group_by("held_account", "reason")
        .agg(
            detail=pl.format(
                "currency {}, tax category {}, country {}, tax point {}",
                pl.col("currency"),
                pl.col("tax_category"),
                pl.col("country").fill_null("unknown"),
                pl.col("tax_point"),
            )
            .sort()
            .first(),
            lines=pl.len().cast(pl.Int64),
        )
        .sort("held_account", "reason")
        .select("reason", "detail", "lines", account_key="held_account", bill_day=pl.lit(bill_day))
    )
    ready = judged.join(faulty.select("held_account").unique(), on="held_account", how="anti")
    return ready.drop("reason", "held_account", "lacks_fx_rate"), held


def _documents(lines: pl.DataFrame, taxes: pl.DataFrame, bill_day: dt.date) -> pl.DataFrame:
    """One row per document with its totals. Source: EN 16931 BR-CO-10, -13, -14, -15."""
    tax = taxes.group_by(_DOCUMENT).agg(pl.col("tax_minor").sum())
    totals = (
        lines.group_by(_DOCUMENT)
        .agg(
            pl.col("payer_currency", "payment_terms_days").first(),
            pl.col("corrects_invoice").min(),
            net_minor=pl.col("net_minor").sum(),
            period_from=pl.col("service_from").min(),
            period_until=pl.col("service_until").max(),
        )
        .join(tax, on=_DOCUMENT, how="left", validate="1:1")
        .with_columns(total_minor=pl.col("net_minor") + pl.col("tax_minor"))
    )
    return totals.with_columns(
        account_key=pl.col("payer_key"),
        bill_day=pl.lit(bill_day),
        due_date=pl.lit(bill_day) + pl.duration(days=pl.col("payment_terms_days")),
        document_kind=pl.when(pl.col("total_minor") < 0)
        .then(pl.lit("credit_note"))
        .otherwise(pl.lit("invoice")),
    ).with_columns(invoice_key=_invoice_key())


def _invoice_key() -> pl.Expr:
    """Payer, bill day and kind; the currency and scope only where they are not the usual ones."""
    other_currency = pl.when(pl.col("currency") != pl.col("payer_currency")).then(
        "/" + pl.col("currency")
    )
    outside = pl.when(pl.col("is_outside_scope")).then(pl.lit("/outside_scope"))
    correction = pl.when(pl.col("correction") != "").then(pl.lit("/correction"))
    return pl.concat_str(
        natural_key(pl.col("payer_key"), pl.col("bill_day"), pl.col("document_kind")),
        other_currency.fill_null(""),
        outside.fill_null(""),
        correction.fill_null(""),
    )


def _with_key(frame: pl.DataFrame, keys: pl.DataFrame) -> pl.DataFrame:
    return frame.join(keys, on=_DOCUMENT, how="inner", validate="m:1", maintain_order="left")
