"""A plan with negotiated prices laid over its own: on every day the first in order holds."""

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from billing_pipeline.catalog.agreements import NegotiatedPrice
from billing_pipeline.catalog.plans import Plan
from billing_pipeline.catalog.prices import Price

_FIRST, _LAST = dt.date.min, dt.date.max


class Holding(NamedTuple):
    """A price on the local days [since, until); `agreement` is None where it is the plan's own."""

    since: dt.date
    until: dt.date
    price: Price
    agreement: NegotiatedPrice | None


def overlaid(plan: Plan, ranked: Sequence[NegotiatedPrice]) -> Plan:
    """The plan as somebody has it whose agreements are `ranked`, the strongest first.

    Included units that name a replaced price name the price in its place too.
    """
    held = {key: list(holdings(plan, key, ranked)) for key in _keys(plan)}
    prices = [_dated(one) for of_key in held.values() for one in of_key]
    stand_ins = {key: {one.price.key: None for one in of_key} for key, of_key in held.items()}
    included = [
        pool.model_copy(
            update={"prices": [*{name: None for key in pool.prices for name in stand_ins[key]}]}
        )
        for pool in plan.included_units
    ]
    return plan.model_copy(update={"prices": prices, "included_units": included})


def holdings(plan: Plan, key: str, ranked: Sequence[NegotiatedPrice]) -> Iterator[Holding]:
    """Which price stands for the plan's price `key` on which days, by first day."""
    listed = [
        Holding(price.valid_from, price.valid_until or _LAST, price, None)
        for price in plan.prices
        if price.key == key
    ]
    layers = [_layer(one, listed) for one in ranked if one.replaces == key]
    yield from sorted(_cut([*layers, listed]), key=lambda one: one.since)


def _keys(plan: Plan) -> list[str]:
    return list(dict.fromkeys(price.key for price in plan.prices))


def _layer(agreement: NegotiatedPrice, listed: Sequence[Holding]) -> list[Holding]:
    """The days of one agreement; terms change each version of the plan's price."""
    since, until = agreement.valid_from, agreement.valid_until or _LAST
    if agreement.price is not None:
        return [Holding(since, until, agreement.price, agreement)]
    return [
        Holding(
            max(since, one.since), min(until, one.until), agreement.agreed(one.price), agreement
        )
        for one in listed
        if since < one.until and one.since < until
    ]


def _cut(layers: Sequence[Sequence[Holding]]) -> Iterator[Holding]:
    """Each layer on the days that no layer before it takes."""
    free = [(_FIRST, _LAST)]
    for layer in layers:
        for one in layer:
            yield from (
                one._replace(since=max(one.since, since), until=min(one.until, until))
                for since, until in free
                if since < one.until and one.since < until
            )
        for one in layer:
            free = [left for span in free for left in _without(span, one)]


def _without(span: tuple[dt.date, dt.date], taken: Holding) -> Iterator[tuple[dt.date, dt.date]]:
    since, until = span
    for left in ((since, min(until, taken.since)), (max(since, taken.until), until)):
        if left[0] < left[1]:
            yield left


def _dated(one: Holding) -> Price:
    until = None if one.until == _LAST else one.until
    return one.price.model_copy(update={"valid_from": one.since, "valid_until": until})
