"""Which usage prices of a plan can take the same event."""

import datetime as dt
from collections.abc import Iterator, Sequence
from itertools import combinations

from billing_pipeline.catalog.plans import Plan
from billing_pipeline.catalog.prices import Selector, UsagePrice
from billing_pipeline.vocabulary.problems import Problem


def usage_prices(plan: Plan) -> list[UsagePrice]:
    """Prices of a plan that take usage events, in the order declared."""
    return [price for price in plan.prices if isinstance(price, UsagePrice)]


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
        for first, second in _equal_pairs(usage_prices(plan))
    ]


def _equal_pairs(prices: Sequence[UsagePrice]) -> Iterator[tuple[UsagePrice, UsagePrice]]:
    for first, second in combinations(prices, 2):
        if (
            first.priority == second.priority
            and _share_a_day(first, second)
            and _share_an_event(first.applies_to, second.applies_to)
        ):
            yield first, second


def _share_a_day(first: UsagePrice, second: UsagePrice) -> bool:
    open_end = dt.date.max
    return first.valid_from < (second.valid_until or open_end) and second.valid_from < (
        first.valid_until or open_end
    )


def _share_an_event(first: Selector, second: Selector) -> bool:
    one, other = wanted_values(first), wanted_values(second)
    return all(one[name] == other[name] for name in one.keys() & other.keys())
