"""Who is due on a local day, and which usage a bill run needs."""

import datetime as dt

import polars as pl

from billing_pipeline.billing.facts import BillingFacts
from billing_pipeline.billing.look_back import with_look_back
from billing_pipeline.billing.spans import STEP, subscription_spans
from billing_pipeline.vocabulary.periods import boundary, day_starts_at, period_index

LATE_PERIODS = 3
"""Periods after its end in which a subscription is looked at again, without a look-back."""

_ANCHOR = pl.col("anchor_on")
_NOBODY = pl.Series("account_key", [], dtype=pl.String)


def due_accounts(
    facts: BillingFacts,
    bill_day: dt.date,
    *,
    restated: pl.Series = _NOBODY,
    approved: pl.Series = _NOBODY,
) -> pl.Series:
    """Accounts to bill on a local day: those with a start, end or turn of a period on it.

    A subscription is due when it starts, when its trial is over, when a billing period of it
    begins or ends, and when it ends; once it has ended, when its periods would have turned, so
    that what arrives late is still billed. Accounts in `restated` are due if nothing else would
    bring them soon: what they ended with has changed. Those in `approved`, whom a person
    released, are due in any case. Accounts that share a payer are due together, so that the payer
    gets one statement. Shape: sorted account keys, each once.
    """
    spans = subscription_spans(facts, facts.accounts.get_column("account_key"))
    due = spans.filter(_is_due(pl.lit(bill_day), _late_periods(facts))).select("account_key")
    named = [_ended(spans, restated, bill_day)] if restated.len() else []
    due = pl.concat([due, *named, approved.rename("account_key").to_frame()])
    payer = facts.accounts.select("account_key", "payer_key")
    due_payers = due.join(payer, on="account_key", how="inner").select("payer_key").unique()
    return (
        payer.join(due_payers, on="payer_key", how="semi").get_column("account_key").unique().sort()
    )


def days_with_accounts_due(
    facts: BillingFacts, first_day: dt.date, last_day: dt.date
) -> set[dt.date]:
    """The local days from first to last, both included, on which `due_accounts` names somebody.

    It leaves out what is due by being restated.
    """
    first, last = pl.lit(first_day), pl.lit(last_day)
    spans = subscription_spans(facts, facts.accounts.get_column("account_key"))
    indices = pl.int_ranges(
        period_index(_ANCHOR, first, STEP), period_index(_ANCHOR, last, STEP) + 1, dtype=pl.Int32
    )
    turns = (
        spans.with_columns(turn=indices)
        .explode("turn")
        .with_columns(due_on=boundary(_ANCHOR, pl.col("turn"), STEP))
        .drop("turn")
    )
    once = [spans.with_columns(due_on=name) for name in ("started_on", "ended_on", "charged_from")]
    due_on = pl.col("due_on")
    return set(
        pl.concat([turns, *once])
        .filter(due_on.is_between(first, last), _is_due(due_on, _late_periods(facts)))
        .get_column("due_on")
        .unique()
    )


def next_due_days(facts: BillingFacts, account_keys: pl.Series, after: dt.date) -> pl.DataFrame:
    """The first local day after `after` on which each account is due.

    Shape: `account_key`, `due_on`; accounts without a subscription that goes on have no row.
    """
    spans = subscription_spans(facts, account_keys)
    day = pl.lit(after)
    turn = boundary(_ANCHOR, period_index(_ANCHOR, day, STEP) + 1, STEP)
    in_force = spans.filter(
        pl.col("span_until").is_null() | (pl.col("span_until") > after),
    ).with_columns(turn=pl.when(pl.col("span_from") <= after).then(turn))
    candidates = [
        in_force.select("account_key", due_on=name)
        for name in ("turn", "started_on", "ended_on", "charged_from")
    ]
    return (
        pl.concat(candidates)
        .filter(pl.col("due_on") > after)
        .group_by("account_key")
        .agg(pl.col("due_on").min())
        .sort("account_key")
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


def _late_periods(facts: BillingFacts) -> int:
    return facts.tenant.look_back_periods or LATE_PERIODS


def _ended(spans: pl.DataFrame, restated: pl.Series, bill_day: dt.date) -> pl.DataFrame:
    """Restated accounts with a subscription that ended before the day, or with none at all."""
    named = restated.rename("account_key").unique().to_frame()
    over = spans.filter(pl.col("ended_on") < bill_day).select("account_key")
    gone = named.join(spans, on="account_key", how="anti")
    return pl.concat([named.join(over, on="account_key", how="semi"), gone])


def _is_due(bill_day: pl.Expr, late_periods: int) -> pl.Expr:
    index = period_index(_ANCHOR, bill_day, STEP)
    is_boundary = boundary(_ANCHOR, index, STEP) == bill_day
    begins_within = pl.col("span_until").is_null() | (bill_day < pl.col("span_until"))
    # The period before the boundary has something to bill in arrears, unless the
    # subscription ended earlier: then it was complete on its last day.
    ended_before = boundary(_ANCHOR, index - 1, STEP) < pl.col("span_until")
    is_open = pl.col("ended_on").is_null() | (bill_day <= pl.col("ended_on"))
    within = (pl.col("span_from") <= bill_day) & (begins_within | ended_before) & is_open
    ended_at = period_index(_ANCHOR, pl.col("ended_on"), STEP)
    is_late = (
        (pl.col("span_until") == pl.col("ended_on"))
        & (bill_day > pl.col("ended_on"))
        & (index - ended_at <= late_periods)
    )
    return (
        ((within | is_late) & is_boundary)
        | (bill_day == pl.col("started_on"))
        | (bill_day == pl.col("ended_on"))
        | ((bill_day == pl.col("charged_from")) & within)
    ).fill_null(value=False)
