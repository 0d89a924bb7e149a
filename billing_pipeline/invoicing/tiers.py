"""How tiered usage came to its price: the slices of a line, where they explain its net exactly."""

from collections.abc import Iterator, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal

import polars as pl

from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.period_prices import GraduatedUsage, VolumeUsage
from billing_pipeline.catalog.price_terms import Tier
from billing_pipeline.invoicing.document_parts import TieredLine, TierUsed
from billing_pipeline.vocabulary.money import minor_exponent

TieredPrice = GraduatedUsage | VolumeUsage


def tiered_prices(catalog: Catalog) -> dict[str, tuple[TieredPrice, ...]]:
    """Prices by tiers of all plans; plans may use one key for prices of their own."""
    found: dict[str, tuple[TieredPrice, ...]] = {}
    for plan in catalog.plans:
        offered = [*plan.prices, *(price for one in plan.in_currencies for price in one.prices)]
        for price in offered:
            if isinstance(price, GraduatedUsage | VolumeUsage):
                found[price.key] = (*found.get(price.key, ()), price)
    return found


def tiered_lines(
    lines: pl.DataFrame, prices: Mapping[str, Sequence[TieredPrice]], currency: str
) -> tuple[TieredLine, ...]:
    """The slices of every usage line priced by tiers.

    A line that slices do not explain to the minor unit (a correction, a capped or prorated one)
    is left out: paper says nothing that does not add up.
    """
    usage = lines.filter(
        (pl.col("charge_kind") == "usage")
        & pl.col("price_key").is_in(list(prices))
        & (pl.col("quantity") > 0)
        & (pl.col("net_minor") > 0)
    ).sort("line_number")
    names = ("price_key", "description", "unit", "quantity", "net_minor")
    rows = zip(*(usage.get_column(name).to_list() for name in names), strict=True)
    return tuple(
        explained
        for price_key, description, unit, quantity, net_minor in rows
        for explained in _explanations(
            prices[price_key], TieredLine(description, unit, quantity, net_minor, ()), currency
        )
    )


def _explanations(
    prices: Sequence[TieredPrice], line: TieredLine, currency: str
) -> Iterator[TieredLine]:
    """The line with its slices, by the first price that explains it; nothing if none does."""
    for price in prices:
        slices = tuple(_slices(price, line.quantity))
        exact = sum((one.amount for one in slices), Decimal(0)).scaleb(minor_exponent(currency))
        if exact.quantize(Decimal(1), ROUND_HALF_UP) == line.net_minor:
            yield TieredLine(line.description, line.unit, line.quantity, line.net_minor, slices)
            return


def _slices(price: TieredPrice, quantity: Decimal) -> Iterator[TierUsed]:
    above, last = Decimal(0), price.tiers[-1]
    for tier in price.tiers:
        up_to = None if tier is last else tier.up_to
        is_reached = up_to is None or quantity <= up_to
        if isinstance(price, GraduatedUsage):
            yield _used(tier, above, up_to, (quantity if is_reached else _bound(up_to)) - above)
        elif is_reached:
            yield _used(tier, above, up_to, quantity)
        if is_reached:
            return
        above = _bound(up_to)


def _bound(up_to: Decimal | None) -> Decimal:
    return up_to or Decimal(0)


def _used(tier: Tier, above: Decimal, up_to: Decimal | None, units: Decimal) -> TierUsed:
    amount = units * tier.amount + tier.flat_fee
    return TierUsed(above, up_to, units, tier.amount, tier.flat_fee, amount)
