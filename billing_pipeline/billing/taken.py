"""Which included units every event took: what an explanation of a bill asks for.

Worked example: 100 minutes are included; of two calls of 60 minutes the first takes 3,600 seconds,
the second the 2,400 that are left, and 1,200 are priced.
"""

import datetime as dt

import polars as pl

from billing_pipeline.billing.cycles import billed_periods
from billing_pipeline.billing.facts import BillingFacts
from billing_pipeline.billing.history import plan_spans
from billing_pipeline.billing.included import after_included_units
from billing_pipeline.billing.look_back import with_look_back
from billing_pipeline.billing.pools import pool_mates, pools_of
from billing_pipeline.billing.prices import Columns, at_agreed_prices
from billing_pipeline.billing.spans import subscription_spans
from billing_pipeline.billing.usage_events import (
    events_before,
    in_periods,
    numbered,
    usage_by_event,
)
from billing_pipeline.billing.usage_prices import fee_rules, pooled_prices
from billing_pipeline.vocabulary.money import QUANTITY

_COLUMNS: Columns = {
    "file_key": pl.String,
    "record_number": pl.Int64,
    "included_units": QUANTITY,
}
TAKEN = pl.Schema(_COLUMNS)
"""One row per event that took included units: of which record, and measured units."""


def taken_by_events(
    facts: BillingFacts, account_keys: pl.Series, bill_day: dt.date
) -> pl.DataFrame:
    """Included units taken by events of the accounts, and of those they share pools with.

    Shape: TAKEN, of every billing period that is complete by `bill_day`, as it is billed.
    """
    sharing = pool_mates(facts, account_keys)
    facts = at_agreed_prices(facts, sharing)
    pooled = pooled_prices(facts.catalog)
    spans = with_look_back(
        subscription_spans(facts, sharing), bill_day, facts.tenant.look_back_periods
    )
    periods = billed_periods(plan_spans(spans), bill_day)
    complete = numbered(periods.filter(pl.col("arrears_on") <= bill_day))
    if pooled.is_empty() or complete.is_empty():
        return TAKEN.to_frame()
    prices = pooled.select("plan_key", "price_key").unique(maintain_order=True)
    events = usage_by_event(events_before(facts, complete, bill_day), prices)
    left = after_included_units(
        in_periods(events, complete, prices),
        pooled,
        pools_of(complete, pooled, facts.accounts),
        fee_rules(facts.catalog),
    )
    return left.filter(pl.col("included_units") > 0).select(TAKEN.names())
