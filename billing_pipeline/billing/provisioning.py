"""What other systems have to know of subscriptions: every change of status, plan and quantity."""

import datetime as dt

import polars as pl

from billing_pipeline.billing.facts import BillingFacts
from billing_pipeline.billing.history import ACTIVE, CANCELLED
from billing_pipeline.billing.spans import subscription_spans
from billing_pipeline.customers.schema import PROVISIONING_EVENTS
from billing_pipeline.vocabulary.money import plain_text

TRIAL = "trial"
_OWNER = ["subscription_key", "account_key"]
_STATE = [*_OWNER, "effective_on", "status", "plan_key", "quantity"]
_THING = ["subscription_key", "what"]
_WHATS = {"status": "status", "plan": "plan_key", "quantity": "quantity_text"}


def subscription_transitions(facts: BillingFacts, through: dt.date) -> pl.DataFrame:
    """Every change that holds by a local day, from the beginning of each subscription.

    Shape: PROVISIONING_EVENTS ordered by subscription, day and what changed.
    """
    states = _states(facts).filter(pl.col("effective_on") <= through)
    changed = [
        states.with_columns(
            what=pl.lit(what),
            from_value=pl.col(column).shift(1).over("subscription_key"),
            to_value=pl.col(column),
            is_first=pl.int_range(pl.len()).over("subscription_key") == 0,
        ).filter(
            pl.col("from_value").ne_missing(pl.col("to_value")),
            # A subscription begins with one event, that of its status.
            ~pl.col("is_first") | pl.lit(what == "status"),
        )
        for what, column in _WHATS.items()
    ]
    return PROVISIONING_EVENTS.conform(
        pl.concat(changed).sort("subscription_key", "effective_on", "what")
    )


def events_to_emit(
    transitions: pl.DataFrame, emitted: pl.DataFrame, through: dt.date
) -> pl.DataFrame:
    """Transitions not emitted before, and what puts right an event that no longer holds.

    Once they are emitted, the last event of every subscription says what holds on the day.
    Shape: PROVISIONING_EVENTS; `emitted` is the same, in the order of emission.
    """
    key = [*_THING, "effective_on", "to_value"]
    new = transitions.join(emitted, on=key, how="anti")
    said = pl.concat([emitted, new]).group_by(_THING, maintain_order=True).last()
    holds = transitions.group_by(_THING, maintain_order=True).last()
    compared = said.join(
        holds.select(*_THING, holds="to_value"), on=_THING, how="left", validate="1:1"
    )
    # A subscription that is no longer known, or has not begun after all, is not to be served.
    should_be = pl.coalesce("holds", pl.when(pl.col("what") == "status").then(pl.lit(CANCELLED)))
    mended = (
        compared.with_columns(should_be=should_be)
        .filter(pl.col("should_be") != pl.col("to_value"))
        .with_columns(
            from_value="to_value",
            to_value="should_be",
            effective_on=pl.lit(through),
        )
    )
    return PROVISIONING_EVENTS.conform(
        pl.concat([new, mended.select(PROVISIONING_EVENTS.names)]).sort(
            "effective_on", "subscription_key", "what", maintain_order=True
        )
    )


def _states(facts: BillingFacts) -> pl.DataFrame:
    """What holds of each subscription from each day on which something of it changes."""
    spans = subscription_spans(facts, facts.accounts.get_column("account_key"))
    begins = pl.col("effective_on") < pl.col("charged_from")
    starts = spans.with_columns(effective_on="span_from").with_columns(
        status=pl.when(begins & (pl.col("status") == ACTIVE))
        .then(pl.lit(TRIAL))
        .otherwise("status")
    )
    trial_ends = spans.filter(
        pl.col("status") == ACTIVE,
        pl.col("span_from") < pl.col("charged_from"),
        pl.col("span_until").is_null() | (pl.col("charged_from") < pl.col("span_until")),
    ).with_columns(effective_on="charged_from")
    ends = spans.filter(pl.col("span_until") == pl.col("ended_on")).with_columns(
        effective_on="ended_on", status=pl.lit(CANCELLED)
    )
    return (
        pl.concat([part.select(_STATE) for part in (starts, trial_ends, ends)])
        .sort("subscription_key", "effective_on")
        .with_columns(quantity_text=plain_text(pl.col("quantity")))
    )
