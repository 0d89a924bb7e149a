"""Who is due on a local day, and which usage a bill run needs."""

import datetime as dt

import polars as pl

from billing_pipeline.billing.facts import BillingFacts
from billing_pipeline.billing.look_back import with_look_back
from billing_pipeline.billing.spans import STEP, subscription_spans
from billing_pipeline.vocabulary.periods import boundary, day_starts_at, period_index


def due_accounts(facts: BillingFacts, bill_day: dt.date) -> pl.Series:
    """Accounts to bill on a local day: those with a start, end or turn of a period on it.

    A subscription is due when it starts, when its trial is over, when a billing period of it
    begins or ends, and when it ends. Accounts that share a payer are due together, so that the
    payer gets one statement. Shape: sorted account keys, each once.
    """
    spans = subscription_spans(facts, facts.accounts.get_column("account_key"))
    due = spans.filter(_is_due(pl.lit(bill_day))).select("account_key")
    payer = facts.accounts.select("account_key", "payer_key")
    due_payers = due.join(payer, on="account_key", how="inner").select("payer_key").unique()
    return (
        payer.join(due_payers, on="payer_key", how="semi").get_column("account_key").unique().sort()
    )


def usage_window(
    facts: BillingFacts, account_keys: pl.Series, bill_day: dt.date
) -> tuple[dt.datetime, dt.datetime]:
    """Half-open UTC span of rated usage that `compute_charges` needs.

    It begins with the first service of the accounts inside the tenant's look-back and ends where
    the bill day begins.
    """
    zone = facts.tenant.time_zone
    spans = with_look_back(
        subscription_spans(facts, account_keys), bill_day, facts.tenant.look_back_periods
    )
    first_day = spans.select(pl.max_horizontal("started_on", "scope_from").min()).item()
    begins_on = first_day if isinstance(first_day, dt.date) else bill_day
    return (
        day_starts_at(min(begins_on, bill_day), zone),
        day_starts_at(bill_day, zone),
    )


def _is_due(bill_day: pl.Expr) -> pl.Expr:
    anchor = pl.col("anchor_on")
    index = period_index(anchor, bill_day, STEP)
    is_boundary = boundary(anchor, index, STEP) == bill_day
    begins_within = pl.col("span_until").is_null() | (bill_day < pl.col("span_until"))
    # The period before the boundary has something to bill in arrears, unless the
    # subscription ended earlier: then it was complete on its last day.
    ended_before = boundary(anchor, index - 1, STEP) < pl.col("span_until")
    is_open = pl.col("ended_on").is_null() | (bill_day <= pl.col("ended_on"))
    within = (pl.col("span_from") <= bill_day) & (begins_within | ended_before) & is_open
    return (
        (within & is_boundary)
        | (bill_day == pl.col("started_on"))
        | (bill_day == pl.col("ended_on"))
        | ((bill_day == pl.col("charged_from")) & within)
    ).fill_null(value=False)
