"""Rating once more, event by event, in plain Decimal and dates: slow, short and obvious."""

import datetime as dt
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from typing import NamedTuple
from zoneinfo import ZoneInfo

from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.prices import (
    CarriedUsage,
    CostPlusUsage,
    PercentageUsage,
    PerEventStepsUsage,
    PerUnitUsage,
    RateCardUsage,
    TimeOfDayUsage,
    UsagePrice,
    ZoneMatrixUsage,
)
from billing_pipeline.catalog.rate_cards import RateCard, TimeBand
from billing_pipeline_tests.rating import oracle_models as models
from billing_pipeline_tests.rating.given import Row

EXACT = Context(prec=100)
LAST_DECIMAL = Decimal("0.0000000001")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Answer(NamedTuple):
    """What should stand on the rated event, or the reason it is suspended for."""

    price_key: str | None
    billable_units: Decimal | None
    amount: Decimal | None
    cost_amount: Decimal | None
    rate_prefix: str | None
    rate_band: str | None
    reason: str | None


def suspended(reason: str) -> Answer:
    return Answer(None, None, None, None, None, None, reason)


class Oracle:
    """Prices of one tenant."""

    def __init__(self, catalog: Catalog, subscriptions: Sequence[Row], rows: Sequence[Row]) -> None:
        self.catalog = catalog
        self.plan_of = {row["subscription_key"]: str(row["plan_key"]) for row in subscriptions}
        self.known: dict[tuple[object, ...], UsagePrice | None] = {}
        self.rows: dict[tuple[object, object], list[Row]] = {}
        for row in rows:
            self.rows.setdefault((row["card_key"], row["prefix"]), []).append(row)

    def rate(self, event: Row, zone: ZoneInfo) -> Answer:  # noqa: PLR0911 - one per model
        started_at = event["started_at"]
        assert isinstance(started_at, dt.datetime)
        local = started_at.astimezone(zone)
        price = self._price(event, local.date())
        if price is None:
            return suspended("no_price")
        quantity = Decimal(str(event["quantity"]))
        with localcontext(EXACT):
            if isinstance(price, PerUnitUsage):
                return per_unit(price, quantity, str(event.get("unit", "s")))
            if isinstance(price, RateCardUsage):
                return self._by_card(price, str(event["destination"]), quantity, local)
            if isinstance(price, CarriedUsage):
                amount = models.carried(price, Decimal(str(event["carried_amount"])), quantity)
                return Answer(price.key, quantity, amount, None, None, None, None)
            if isinstance(price, ZoneMatrixUsage):
                return by_zones(price, event, quantity)
            if isinstance(price, CostPlusUsage):
                return self._on_cost(price, str(event["destination"]), quantity, local)
            if isinstance(price, PercentageUsage | PerEventStepsUsage | TimeOfDayUsage):
                return by_itself(price, event, quantity, zone)
        return Answer(price.key, quantity, Decimal(0), None, None, None, None)

    def _price(self, event: Row, day: dt.date) -> UsagePrice | None:
        """The price that takes an event; looked for once per kind of event and day."""
        kind = (event["subscription_key"], event["usage_type"], event["direction"], day)
        if kind not in self.known:
            self.known[kind] = self._found(event, day)
        return self.known[kind]

    def _found(self, event: Row, day: dt.date) -> UsagePrice | None:
        plan = self.catalog.plan_by_key[self.plan_of[event["subscription_key"]]]
        fitting = [
            price
            for price in plan.prices
            if isinstance(price, UsagePrice)
            and price.valid_from <= day < (price.valid_until or dt.date.max)
            and price.applies_to.usage_type == event["usage_type"]
            and price.applies_to.direction in (None, event["direction"])
        ]
        return min(fitting, key=lambda price: price.priority, default=None)

    def _by_card(
        self, price: RateCardUsage, destination: str, quantity: Decimal, local: dt.datetime
    ) -> Answer:
        row = self._row(self.catalog.rate_card_by_key[price.card], destination, local)
        if row is None or row["unit_price"] is None:
            return suspended("no_destination")
        units, amount = self._card_amount(price.card, row, quantity)
        cost = None
        if price.cost_deck is not None:
            deck_row = self._row(self.catalog.rate_card_by_key[price.cost_deck], destination, local)
            if deck_row is not None and deck_row["unit_price"] is not None:
                cost = self._card_amount(price.cost_deck, deck_row, quantity)[1]
        band = str(row["band"]) or None
        return Answer(price.key, units, amount, cost, str(row["prefix"]), band, None)

    def _on_cost(
        self, price: CostPlusUsage, destination: str, quantity: Decimal, local: dt.datetime
    ) -> Answer:
        row = self._row(self.catalog.rate_card_by_key[price.cost_deck], destination, local)
        if row is None or row["unit_price"] is None:
            return suspended("no_destination")
        units, cost = self._card_amount(price.cost_deck, row, quantity)
        amount = models.marked_up(price, units, cost)
        return Answer(price.key, units, amount, cost, str(row["prefix"]), None, None)

    def _row(self, card: RateCard, destination: str, local: dt.datetime) -> Row | None:
        band = band_of(card.bands, local)
        for length in range(len(destination), -1, -1):
            fitting = [
                row
                for row in self.rows.get((card.key, destination[:length]), [])
                if row["band"] in ("", band) and in_force(row, local.date())
            ]
            if fitting:
                return max(fitting, key=lambda row: str(row["band"]))
        return None

    def _card_amount(self, card: str, row: Row, quantity: Decimal) -> tuple[Decimal, Decimal]:
        terms = self.catalog.rate_card_by_key[card]
        least, step = number(row["minimum_units"]), number(row["increment_units"])
        units = models.rounded_by(terms, quantity, least, step)
        fee = number(row["connection_fee"]) if units else Decimal(0)
        return units, rounded(units * number(row["unit_price"]) / terms.pricing_unit) + fee


def by_zones(price: ZoneMatrixUsage, event: Row, quantity: Decimal) -> Answer:
    terms = models.zone_price(price, models.text(event, "origin"), str(event["destination"]))
    if terms is None:
        return suspended("no_destination")
    units, amount = models.zoned(price, terms, quantity)
    return Answer(price.key, units, amount, None, None, None, None)


def by_itself(
    price: PercentageUsage | PerEventStepsUsage | TimeOfDayUsage,
    event: Row,
    quantity: Decimal,
    zone: ZoneInfo,
) -> Answer:
    """Prices that need nothing but the event."""
    if isinstance(price, PercentageUsage):
        amount = models.percentage(price, Decimal(str(event["carried_amount"])))
        return Answer(price.key, quantity, amount, None, None, None, None)
    if isinstance(price, PerEventStepsUsage):
        bound = price.priced_up_to
        units, amount = models.steps(price, quantity)
        if price.beyond == "refuse" and bound is not None and units > bound:
            return suspended("no_price")
        return Answer(price.key, units, amount, None, None, None, None)
    at = event["started_at"]
    assert isinstance(at, dt.datetime)
    band, units, amount = models.by_time(price, quantity, at, zone)
    return Answer(price.key, units, amount, None, None, band or None, None)


def per_unit(price: PerUnitUsage, quantity: Decimal, unit: str) -> Answer:
    step = price.increments.increment or (Decimal(1) if unit == "s" else LAST_DECIMAL)
    units = models.rounded_by(price.increments, quantity, price.increments.minimum, step)
    fee = price.connection_fee if units else Decimal(0)
    amount = rounded(units * price.amount / price.pricing_unit) + fee
    return Answer(price.key, units, amount, None, None, None, None)


def number(value: object) -> Decimal:
    assert isinstance(value, Decimal)
    return value


def rounded(amount: Decimal) -> Decimal:
    return amount.quantize(LAST_DECIMAL, ROUND_HALF_UP)


def in_force(row: Row, day: dt.date) -> bool:
    valid_from, valid_until = row["valid_from"], row["valid_until"]
    assert isinstance(valid_from, dt.date)
    return valid_from <= day and (not isinstance(valid_until, dt.date) or day < valid_until)


def band_of(bands: Sequence[TimeBand], local: dt.datetime) -> str:
    time = local.time()
    for band in bands:
        if WEEKDAYS[local.weekday()] not in band.weekdays:
            continue
        after, before = time >= band.from_time, time < band.until_time
        wraps = band.until_time <= band.from_time
        if (after or before) if wraps else (after and before):
            return band.key
    return ""
