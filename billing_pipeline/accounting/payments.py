"""Posting rules of money received: payments, debts given up, exchange gains that became real."""

import polars as pl

from billing_pipeline.accounting.chart import covers, has_role
from billing_pipeline.accounting.journal import Journal, finished, merged
from billing_pipeline.accounting.revaluation import worth_on
from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.vocabulary.identifiers import natural_key

REALISED = "realised_exchange"
_AGAINST = {"payment": "bank", "write_off": "write_off"}
_WORDS = {"payment": "Payment", "write_off": "Write-off"}


def journal_for_payments(payments: pl.DataFrame, tenant: Tenant, accounts: pl.DataFrame) -> Journal:
    """Book what was received, or given up, against the receivable.

    What a payment has beyond all documents stays on the account as a credit balance. A write-off
    so small that the tenant calls it so is a rounding difference, where its chart has an account
    for that.

    Args:
        payments: PAYMENTS.
        tenant: whose chart of accounts is used.
        accounts: ACCOUNTS, for rules that ask for the customer group.

    Shape: one entry per payment. Raises: UnknownLedgerAccount.
    """
    groups = accounts.select("account_key", customer_group="account_type")
    entries = payments.join(groups, on="account_key", how="left", validate="m:1").with_columns(
        entry_key=natural_key(pl.col("kind"), pl.col("payment_key")),
        posting_rule=pl.col("kind"),
        source_key=pl.col("payment_key"),
        booked_date=pl.col("received_on"),
        narration=pl.concat_str(
            pl.col("kind").replace_strict(_WORDS, return_dtype=pl.String),
            pl.lit(" "),
            "payment_key",
            pl.lit(", account "),
            "account_key",
            pl.when(pl.col("reference") != "").then(pl.lit(": ")).otherwise(pl.lit("")),
            "reference",
        ),
    )
    side = entries.select("entry_key", "kind", "currency", "customer_group", "amount_minor")
    most = tenant.ledger_accounts.rounding_up_to_minor
    is_small = (
        (pl.col("kind") == "write_off")
        & (pl.col("amount_minor") <= most)
        & covers(tenant, "rounding")
    )
    against = (
        pl.when(is_small)
        .then(pl.lit("rounding"))
        .otherwise(pl.col("kind").replace_strict(_AGAINST, return_dtype=pl.String))
    )
    sides = [
        side.with_columns(role=against),
        side.with_columns(role=pl.lit("receivable"), amount_minor=-pl.col("amount_minor")),
    ]
    return finished(entries.drop("customer_group"), [frame.drop("kind") for frame in sides], tenant)


def realised_exchange(allocations: pl.DataFrame, tenant: Tenant) -> Journal:
    """Book what foreign money was worth more, or less, when it came than when it was billed.

    Amounts are in the tenant's currency; the gain of an open item that a month end booked is taken
    back by the next month end, when the item is settled.

    Args:
        allocations: ALLOCATIONS with account_key, kind, currency, received_on and issued_date.
        tenant: whose exchange rates and chart are used; nothing without `bank_revaluation`.

    Shape: at most one entry per payment and document. Raises: UnknownRate.
    """
    foreign = allocations.filter(pl.col("currency") != tenant.currency, pl.col("kind") == "payment")
    if foreign.is_empty() or not has_role(tenant, "bank_revaluation"):
        return merged([])
    worths = foreign.select("currency", "amount_minor", "received_on", "issued_date").rows()
    gained = [
        worth_on(tenant, currency, amount, received) - worth_on(tenant, currency, amount, issued)
        for currency, amount, received, issued in worths
    ]
    source = natural_key(pl.col("payment_key"), pl.col("invoice_number"))
    entries = foreign.with_columns(
        entry_key=natural_key(pl.lit(REALISED), source),
        posting_rule=pl.lit(REALISED),
        source_key=source,
        booked_date=pl.col("received_on"),
        gained_minor=pl.Series(gained, dtype=pl.Int64),
        currency=pl.lit(tenant.currency),
        narration=pl.format("Exchange on payment {} of {}", "payment_key", "invoice_number"),
    )
    side = entries.select("entry_key", "currency", amount_minor="gained_minor")
    sides = [
        side.with_columns(role=pl.lit("bank_revaluation")),
        side.with_columns(role=pl.lit("exchange_difference"), amount_minor=-pl.col("amount_minor")),
    ]
    return finished(
        entries.drop("gained_minor", "amount_minor", "received_on", "issued_date", "kind"),
        sides,
        tenant,
    )
