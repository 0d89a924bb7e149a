"""Usage past the last tier of a price that refuses it: its account is held, nothing is guessed."""

import polars as pl

from billing_pipeline.billing.facts import BillingFacts
from billing_pipeline.billing.history import plan_spans
from billing_pipeline.billing.over_period import period_versions
from billing_pipeline.billing.prices import Columns, at_agreed_prices
from billing_pipeline.billing.schema import HELD_ACCOUNTS
from billing_pipeline.billing.spans import subscription_spans
from billing_pipeline.catalog.price_terms import TieredUsage
from billing_pipeline.vocabulary.money import QUANTITY, plain_text

PAST_LAST_TIER = "past_last_tier"
"""The bound that such usage breaks."""

_COLUMNS: Columns = {
    "plan_key": pl.String,
    "price_key": pl.String,
    "most_units": QUANTITY,
    "since": pl.Date,
}
_BOUNDS = pl.Schema(_COLUMNS)


def past_last_tiers(facts: BillingFacts, to_post: pl.DataFrame) -> pl.DataFrame:
    """Accounts that would be charged for more than a price of `beyond: refuse` has tiers for.

    The charge itself is computed at the last tier's price, which holds if a person approves it.
    Shape: HELD_ACCOUNTS; `to_post` is TO_POST. Units: charged quantities are pricing units.
    """
    usage = to_post.filter(pl.col("charge_kind") == "usage", pl.col("difference") != 0)
    keys = usage.get_column("account_key").unique()
    at_own = at_agreed_prices(facts, keys)
    bounds = _bounds(at_own)
    if usage.is_empty() or bounds.get_column("most_units").is_null().all():
        return HELD_ACCOUNTS.empty()
    held = plan_spans(subscription_spans(at_own, keys)).select(
        "subscription_key", "plan_key", "span_from"
    )
    begins = pl.col("service_from")
    judged = (
        usage.join(held, on="subscription_key", how="inner")
        .filter(pl.col("span_from") <= begins)
        .sort("charge_key", "span_from")
        .unique("charge_key", keep="last", maintain_order=True)
        .join(bounds, on=["plan_key", "price_key"], how="inner")
        .filter(pl.col("since").is_null() | (pl.col("since") <= begins))
        .sort("charge_key", "since", nulls_last=False)
        .unique("charge_key", keep="last", maintain_order=True)
        .filter(pl.col("quantity") > pl.col("most_units"))
    )
    message = pl.format(
        "{} is for {} units, the last tier of its price ends at {}",
        "charge_key",
        plain_text(pl.col("quantity")),
        plain_text(pl.col("most_units")),
    )
    return HELD_ACCOUNTS.conform(
        judged.select("account_key", bound=pl.lit(PAST_LAST_TIER), message=message).sort(
            "account_key", "message"
        )
    )


def _bounds(facts: BillingFacts) -> pl.DataFrame:
    """Every version of each period price and what it has tiers for; null is no bound."""
    rows: list[tuple[object, ...]] = []
    known: set[tuple[str, str]] = set()
    for version in period_versions(facts.catalog):
        price = version.price
        place = (version.plan_key, price.key)
        since = price.valid_from if place in known else None
        known.add(place)
        most = None
        if isinstance(price, TieredUsage) and price.beyond == "refuse":
            most = price.tiers[-1].up_to
        rows.append((*place, most, since))
    return pl.DataFrame(rows, schema=_BOUNDS, orient="row")
