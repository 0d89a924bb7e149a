"""Which usage prices of a plan can take the same event."""

import datetime as dt
from collections.abc import Sequence
from itertools import combinations, product
from typing import Protocol

from billing_pipeline.catalog.plans import Plan
from billing_pipeline.catalog.prices import (
    CostPlusUsage,
    Price,
    RateCardUsage,
    Selector,
    UsagePrice,
)
from billing_pipeline.catalog.time_windows import share_a_moment
from billing_pipeline.vocabulary.problems import Problem


class Valid(Protocol):
    """What holds on some local days."""

    @property
    def valid_from(self) -> dt.date:
        """First local day."""
        ...

    @property
    def valid_until(self) -> dt.date | None:
        """Local day after the last; None is open."""
        ...


def usage_prices(plan: Plan) -> list[UsagePrice]:
    """Prices of a plan that take usage events, in the order declared."""
    return [price for price in plan.prices if isinstance(price, UsagePrice)]


def cards_named(price: Price) -> list[tuple[str, str, str]]:
    """Rate cards a price needs: the field that names one, its key, its kind."""
    named: list[tuple[str, str | None, str]] = []
    if isinstance(price, RateCardUsage):
        named = [("card", price.card, "retail"), ("cost_deck", price.cost_deck, "supplier")]
    if isinstance(price, CostPlusUsage):
        named = [("cost_deck", price.cost_deck, "supplier")]
    return [(field, key, kind) for field, key, kind in named if key is not None]


def wanted_values(selector: Selector) -> dict[str, str]:
    """Field and value an event must have; an attribute's field is `attributes.<name>`."""
    wanted = {"usage_type": selector.usage_type}
    if selector.direction is not None:
        wanted["direction"] = selector.direction
    attributes = {f"attributes.{name}": text for name, text in selector.attributes.items()}
    return wanted | attributes


def ambiguous_prices(plan: Plan) -> list[Problem]:
    """Pairs of prices that could take the same event on the same day with equal priority."""
    return [
        Problem(
            file="plans.yaml",
            row=None,
            field=f"{plan.key}.prices",
            message=f"{first.key!r} and {second.key!r} can take the same usage event and have "
            f"the same priority {first.priority}; give the one to be tried first a lower priority",
        )
        for first, second in combinations(usage_prices(plan), 2)
        if take_equally(first, second)
    ]


def take_equally(first: UsagePrice, second: UsagePrice) -> bool:
    """Whether two prices could take the same event on the same day with equal priority."""
    return (
        first.priority == second.priority
        and share_a_day(first, second)
        and _share_an_event(first.applies_to, second.applies_to)
    )


def share_a_day(first: Valid, second: Valid) -> bool:
    """Whether two half-open spans of local days share a day."""
    open_end = dt.date.max
    return first.valid_from < (second.valid_until or open_end) and second.valid_from < (
        first.valid_until or open_end
    )


def _share_an_event(first: Selector, second: Selector) -> bool:
    one, other = wanted_values(first), wanted_values(second)
    return (
        all(one[name] == other[name] for name in one.keys() & other.keys())
        and _share_a_destination(first.destinations, second.destinations)
        # Of two lists of holidays one day may be of two kinds: then nothing is certain.
        and (first.holidays != second.holidays or share_a_moment(first.times, second.times))
    )


def _share_a_destination(some: Sequence[str], others: Sequence[str]) -> bool:
    if not some or not others:
        return True
    return any(
        one.startswith(other) or other.startswith(one) for one, other in product(some, others)
    )
