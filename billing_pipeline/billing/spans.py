"""Subscriptions as spans of unchanged terms: plan, quantity and the cycle that bills them."""

import polars as pl

from billing_pipeline.billing.facts import BillingFacts
from billing_pipeline.billing.history import subscription_history
from billing_pipeline.billing.prices import plan_terms
from billing_pipeline.vocabulary.periods import CALENDAR_ANCHOR, Step, plus_days

STEP = Step(months=pl.col("step_months"), days=pl.col("step_days"))
"""Length of a billing period, per row of a frame of spans or periods."""


class UnknownReference(Exception):
    """A subscription names a plan or an account that the facts do not hold."""


def subscription_spans(facts: BillingFacts, account_keys: pl.Series) -> pl.DataFrame:
    """The subscriptions of some accounts, cut where their terms change.

    Shape: one row per subscription and span of unchanged plan, quantity and status, `span_from`
    up to, not including, `span_until` (null is open). `started_on`, `ended_on` are the whole
    subscription's, `charged_from` is the first day after the trial, `anchor_on` what its
    billing periods count from: the payer's `opened_on`, so that everything one account pays
    falls on one statement, or the calendar.
    Raises: UnknownReference if a subscription's plan or account is missing.
    """
    owned = facts.subscriptions.join(
        account_keys.unique().rename("account_key").to_frame(), on="account_key", how="semi"
    ).join(_account_terms(facts.accounts), on="account_key", how="left", validate="m:1")
    ended = owned.with_columns(ended_on=pl.min_horizontal("ended_on", "closed_on"))
    spans = subscription_history(ended, facts.subscription_changes).join(
        plan_terms(facts.catalog), on="plan_key", how="left", validate="m:1", maintain_order="left"
    )
    _assert_known(spans)
    # A change of plan does not begin another trial.
    first_trial = pl.col("trial_days").sort_by("span_from").first().over("subscription_key")
    is_cut = pl.col("subscription_key").is_duplicated()
    trial_days = pl.when(is_cut).then(first_trial).otherwise("trial_days")
    return spans.with_columns(
        charged_from=plus_days(pl.col("started_on"), trial_days),
        anchor_on=pl.when(pl.col("anchor_rule") == "calendar")
        .then(pl.lit(CALENDAR_ANCHOR))
        .otherwise("payer_opened_on"),
    ).drop("anchor_rule", "trial_days", "closed_on", "payer_opened_on")


def _account_terms(accounts: pl.DataFrame) -> pl.DataFrame:
    """Closing day of each account, and the day its payer was opened."""
    payers = accounts.select(payer_key="account_key", payer_opened_on="opened_on")
    return accounts.join(payers, on="payer_key", how="left", validate="m:1").select(
        "account_key",
        "closed_on",
        payer_opened_on=pl.coalesce("payer_opened_on", "opened_on"),
    )


def _assert_known(terms: pl.DataFrame) -> None:
    unknown = terms.filter(pl.any_horizontal(pl.col("currency", "payer_opened_on").is_null()))
    if unknown.height:
        named = unknown.select("subscription_key", "account_key", "plan_key").head(5).rows()
        raise UnknownReference(
            f"{unknown.height} subscription(s) name a plan or account that is not there: {named}"
        )
