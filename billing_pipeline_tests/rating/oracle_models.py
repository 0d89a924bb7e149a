"""Price models of events once more, one event at a time, in plain Decimal."""

import datetime as dt
from collections.abc import Iterator, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_UP, Decimal
from functools import cache
from zoneinfo import ZoneInfo

from billing_pipeline.catalog.price_terms import Increment, Rounded
from billing_pipeline.catalog.prices import (
    CarriedUsage,
    CostPlusUsage,
    PercentageUsage,
    PerEventStepsUsage,
    TimeOfDayUsage,
    ZoneMatrixUsage,
)
from billing_pipeline.catalog.rate_cards import TimeBand

LAST_DECIMAL = Decimal("0.0000000001")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Units = tuple[Decimal, Decimal]


def rounded(amount: Decimal) -> Decimal:
    return amount.quantize(LAST_DECIMAL, ROUND_HALF_UP)


ROUNDINGS = {"up": ROUND_CEILING, "down": ROUND_FLOOR, "nearest": ROUND_HALF_UP}


def stepped(
    quantity: Decimal, minimum: Decimal, increment: Decimal, rounding: str = "up"
) -> Decimal:
    if not quantity:
        return Decimal(0)
    steps = (max(quantity, minimum) / increment).to_integral_value(ROUNDINGS[rounding])
    return max(steps * increment, minimum)


def units_of(quantity: Decimal, increments: Increment) -> Decimal:
    return rounded_by(increments, quantity, increments.minimum, increments.increment or Decimal(1))


def rounded_by(terms: Rounded, quantity: Decimal, minimum: Decimal, increment: Decimal) -> Decimal:
    left = max(quantity - terms.free_initial, Decimal(0))
    for band in terms.counted_as:
        if 0 < left <= band.up_to:
            return band.units
    return stepped(left, minimum, increment, terms.rounding)


def carried(price: CarriedUsage, said: Decimal, quantity: Decimal) -> Decimal:
    billed = rounded(said * (100 + price.markup_percent) / 100)
    return billed if price.carries == "amount" else rounded(billed * quantity / price.pricing_unit)


def percentage(price: PercentageUsage, carried: Decimal) -> Decimal:
    part = rounded(abs(carried) * price.percent / 100) + price.fixed
    bounded = min(max(part, price.minimum), price.maximum or part.max(price.minimum))
    return bounded if carried > 0 else -bounded if carried < 0 else Decimal(0)


def steps(price: PerEventStepsUsage, quantity: Decimal) -> Units:
    units = quantity if price.increments is None else units_of(quantity, price.increments)
    amount, above, fees = Decimal(0), Decimal(0), Decimal(0)
    for number, tier in enumerate(price.tiers, 1):
        last = number == len(price.tiers) and price.beyond == "last"
        bound = None if tier.up_to is None or last else tier.up_to * price.pricing_unit
        inside = max((units if bound is None else min(units, bound)) - above, Decimal(0))
        amount += inside * tier.amount
        fees += tier.flat_fee if inside else 0
        above = above if bound is None else bound
    fee = price.connection_fee if units else Decimal(0)
    return units, rounded(amount / price.pricing_unit) + fees + fee


def zone_price(
    price: ZoneMatrixUsage, origin: str, destination: str
) -> tuple[Decimal, Decimal] | None:
    """Amount and fee of the pair, of its destination, of its origin, of any pair."""
    here, there = zone_of(price, origin), zone_of(price, destination)
    known = {(one.origin, one.destination): one for one in price.prices}
    for pair in ((here, there), (None, there), (here, None), (None, None)):
        if pair in known:
            return known[pair].amount, known[pair].connection_fee
    return None


def zone_of(price: ZoneMatrixUsage, number: str) -> str | None:
    zones = {prefix: zone for zone, listed in price.zones.items() for prefix in listed}
    longest = [number[:n] for n in range(len(number), 0, -1) if number[:n] in zones]
    return zones[longest[0]] if longest else None


def zoned(price: ZoneMatrixUsage, terms: tuple[Decimal, Decimal], quantity: Decimal) -> Units:
    amount, fee = terms
    units = units_of(quantity, price.increments)
    return units, rounded(units * amount / price.pricing_unit) + (fee if units else 0)


def marked_up(price: CostPlusUsage, units: Decimal, cost: Decimal) -> Decimal:
    return rounded(cost * (100 + price.margin_percent) / 100) + (price.fixed if units else 0)


def by_time(
    price: TimeOfDayUsage, quantity: Decimal, at: dt.datetime, zone: ZoneInfo
) -> tuple[str, Decimal, Decimal]:
    """A call walked through band by band; each band's end is looked up in the calendar."""
    bands = {"": (price.amount, price.connection_fee)} | {
        band.key: (band.amount, band.connection_fee) for band in price.bands
    }
    first = band_at(price, at.astimezone(zone))
    left = max(quantity - price.increments.free_initial, Decimal(0))
    if not left:
        return first, Decimal(0), Decimal(0)
    spans = list(_spans(price, left, at + _seconds(price.increments.free_initial), zone))
    if price.charged_by == "start":
        spans = [(first, units_of(quantity, price.increments))]
    total = sum((units * bands[band][0] for band, units in spans), Decimal(0))
    units = sum((units for _, units in spans), Decimal(0))
    band = spans[0][0]
    return band, units, rounded(total / price.pricing_unit) + bands[band][1]


def _spans(
    price: TimeOfDayUsage, left: Decimal, now: dt.datetime, zone: ZoneInfo
) -> Iterator[tuple[str, Decimal]]:
    minimum, step = price.increments.minimum, price.increments.increment or Decimal(1)
    cuts = frozenset(
        {dt.time(0), *(time for one in price.bands for time in (one.from_time, one.until_time))}
    )
    while left > 0:
        ends = _ends(cuts, now.astimezone(zone).date(), zone)
        end = next(end for end in ends if end > now)
        room = Decimal((end - now) // dt.timedelta(microseconds=1)) / 10**6
        units = stepped(min(left, room), minimum, step)
        yield band_at(price, now.astimezone(zone)), units
        left, now, minimum = left - units, now + _seconds(units), Decimal(0)


@cache
def _ends(cuts: frozenset[dt.time], today: dt.date, zone: ZoneInfo) -> list[dt.datetime]:
    """Instants of a day and the next where a band may end, in order; worked out once a day."""
    return sorted(
        dt.datetime.combine(day, cut, zone).replace(fold=fold).astimezone(dt.UTC)
        for day in (today, today + dt.timedelta(days=1))
        for cut in cuts
        for fold in (0, 1)
    )


def _seconds(units: Decimal) -> dt.timedelta:
    return dt.timedelta(microseconds=int(units * 10**6))


def band_at(price: TimeOfDayUsage, local: dt.datetime) -> str:
    kind = "holiday" if local.date() in price.holidays else WEEKDAYS[local.weekday()]
    for band in price.bands:
        is_on = kind in band.weekdays or (
            kind == "holiday" and len(set(band.weekdays)) >= len(WEEKDAYS)
        )
        if is_on and _in_season(band, local) and _in_hours(band, local.time()):
            return band.key
    return ""


def _in_season(band: TimeBand, local: dt.datetime) -> bool:
    day = f"{local:%m-%d}"
    if band.from_day is None or band.until_day is None:
        return True
    if band.from_day < band.until_day:
        return band.from_day <= day < band.until_day
    return day >= band.from_day or day < band.until_day


def _in_hours(band: TimeBand, time: dt.time) -> bool:
    after, before = time >= band.from_time, time < band.until_time
    return (after or before) if band.until_time <= band.from_time else (after and before)


def text(event: Mapping[str, object], field: str) -> str:
    return str(event.get(field) or "")
