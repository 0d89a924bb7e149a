"""The bill run as a pure function: every charge that should exist."""

import datetime as dt

import polars as pl

from billing_pipeline.billing.cycles import billed_periods
from billing_pipeline.billing.discounts import agreed_discounts, discount_charges
from billing_pipeline.billing.facts import BillingFacts
from billing_pipeline.billing.history import ACTIVE, plan_spans
from billing_pipeline.billing.look_back import with_look_back
from billing_pipeline.billing.maximum import maximum_charges
from billing_pipeline.billing.minimum import minimum_charges
from billing_pipeline.billing.one_time import one_time_charges
from billing_pipeline.billing.pools import pool_mates
from billing_pipeline.billing.prices import (
    at_agreed_prices,
    contract_terms,
    minimum_fees,
    one_time_fees,
    recurring_fees,
)
from billing_pipeline.billing.recurring import recurring_charges, with_last_day
from billing_pipeline.billing.schema import CHARGES
from billing_pipeline.billing.spans import subscription_spans
from billing_pipeline.billing.termination import termination_charges
from billing_pipeline.billing.usage import usage_charges
from billing_pipeline.billing.usage_prices import period_maximums


def compute_charges(
    facts: BillingFacts, account_keys: pl.Series, bill_day: dt.date
) -> pl.DataFrame:
    """Compute every charge of some accounts that may be billed on or before `bill_day`.

    Charges whose service began before the tenant's look-back are not computed; compare with
    `look_back.posted_in_look_back`.

    A pure function of the facts: it does not know what was posted, and the same facts give the
    same charges in the same order. The order of one price's computation is usage, discount,
    maximum, minimum.

    Shape: one CHARGES row per charge, ordered by key.
    Raises: UnknownReference if a subscription's plan or account is missing.
    """
    sharing = pool_mates(facts, account_keys)
    facts = at_agreed_prices(facts, sharing)
    catalog = facts.catalog
    spans = with_look_back(
        subscription_spans(facts, account_keys), bill_day, facts.tenant.look_back_periods
    )
    active = with_last_day(spans.filter(pl.col("status") == ACTIVE))
    of_terms = billed_periods(active, bill_day)
    of_plans = billed_periods(plan_spans(spans), bill_day)
    charged = pl.concat(
        [
            recurring_charges(of_terms, recurring_fees(catalog), facts.agreed_prices, bill_day),
            one_time_charges(spans, one_time_fees(catalog), bill_day),
            _usage(facts, of_plans, sharing, bill_day),
        ]
    )
    reduced = pl.concat([charged, discount_charges(charged, agreed_discounts(facts, spans))])
    net = pl.concat([reduced, maximum_charges(reduced, period_maximums(catalog, of_plans))])
    of_usage = net.filter(pl.col("counts_as") == "usage")
    minimums = minimum_charges(of_plans, of_usage, minimum_fees(catalog), bill_day)
    terminations = termination_charges(
        spans, contract_terms(catalog), recurring_fees(catalog), facts.agreed_prices, bill_day
    )
    return CHARGES.conform(pl.concat([net, minimums, terminations]).sort("charge_key"))


def _usage(
    facts: BillingFacts, of_plans: pl.DataFrame, sharing: pl.Series, bill_day: dt.date
) -> pl.DataFrame:
    """Usage of the periods, in whose pools of included units others may have a share."""
    own = of_plans.get_column("account_key").unique()
    if sharing.len() <= own.len():
        return usage_charges(facts, of_plans, bill_day)
    spans = with_look_back(
        subscription_spans(facts, sharing), bill_day, facts.tenant.look_back_periods
    )
    shared = usage_charges(facts, billed_periods(plan_spans(spans), bill_day), bill_day)
    return shared.filter(pl.col("account_key").is_in(own.implode()))
