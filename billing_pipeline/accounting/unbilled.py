"""What was supplied by a month's end and is on no document yet, priced as if it ended there."""

import datetime as dt
from dataclasses import replace

import polars as pl

from billing_pipeline.billing.bill import compute_charges
from billing_pipeline.billing.facts import BillingFacts
from billing_pipeline.billing.look_back import posted_in_look_back
from billing_pipeline.billing.prices import recurring_fees
from billing_pipeline.billing.reconcile import reconcile

_SUPPLIED = ["usage", "minimum"]


def unbilled_charges(facts: BillingFacts, posted: pl.DataFrame, month_end: dt.date) -> pl.DataFrame:
    """Charges in arrears that would be posted if all service ended with the month: TO_POST.

    Usage is priced by the plan's own rules, with all its tiers and included units. Fees in
    advance are not here: they are on a document when their period begins.

    Args:
        facts: as for a bill run on the day after the month, with the month's rated usage.
        posted: POSTED charges of all accounts, by bill days up to `month_end`.
        month_end: last day of the month.
    """
    next_day = month_end + dt.timedelta(days=1)
    ending = replace(
        facts,
        subscriptions=facts.subscriptions.filter(pl.col("started_on") < next_day).with_columns(
            ended_on=pl.min_horizontal("ended_on", pl.lit(next_day))
        ),
    )
    accounts = facts.accounts.get_column("account_key")
    computed = compute_charges(ending, accounts, next_day)
    known = posted_in_look_back(ending, accounts, posted, next_day)
    in_arrears = _in_arrears(facts)
    return reconcile(computed.filter(in_arrears), known.filter(in_arrears))


def _in_arrears(facts: BillingFacts) -> pl.Expr:
    """Whether a charge is for service that was supplied before it is billed."""
    fees = recurring_fees(facts.catalog).filter(pl.col("timing") == "arrears")
    arrears = fees.get_column("price_key").unique().implode()
    advance = (
        recurring_fees(facts.catalog)
        .filter(pl.col("timing") == "advance")
        .get_column("price_key")
        .unique()
        .implode()
    )
    kind = pl.col("charge_kind")
    # A discount's key ends with what it reduces: subscription/discount:price/discount/day.
    reduced = pl.col("charge_key").str.split("/").list.get(-3).str.split(":").list.last()
    return (
        kind.is_in(_SUPPLIED)
        | ((kind == "recurring") & pl.col("price_key").is_in(arrears))
        | ((kind == "discount") & ~reduced.is_in(advance))
    )
