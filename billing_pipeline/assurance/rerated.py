"""Event prices derived a second time: what the catalog lists, times what was used.

Judged are prices per unit and by card, as they are listed: not negotiated, introductory, capped,
pooled or of a card in another currency, and no call that was split over time bands. What these
cost, only rating knows.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

import polars as pl

from billing_pipeline.assurance.findings import account_findings
from billing_pipeline.assurance.usage_summed import AT_PRICE, AT_RATE
from billing_pipeline.billing.usage_prices import pooled_prices
from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.prices import PerUnitUsage, Price, RateCardUsage
from billing_pipeline.vocabulary.money import AMOUNT, exact_product, plain_text

_LISTED = pl.Schema(
    {
        "price_key": pl.String(),
        "card_key": pl.String(),
        "unit_price": AMOUNT,
        "connection_fee": AMOUNT,
        "pricing_unit": AMOUNT,
    }
)


class _Listed(NamedTuple):
    """A price as its plan lists it, or the card that does."""

    price_key: str
    card_key: str | None
    unit_price: Decimal | None
    connection_fee: Decimal | None
    pricing_unit: Decimal


def event_prices(
    at_prices: pl.DataFrame, catalog: Catalog, card_prices: pl.DataFrame
) -> pl.DataFrame:
    """Rated events that cost otherwise than the catalog lists: ACCOUNT_FINDINGS, blocking.

    Args:
        at_prices: rated usage by what was charged, as `UsageSummed` has it.
        catalog: what is sold, plans and cards.
        card_prices: RATE_CARD_PRICES of its cards.
    """
    listed = pl.DataFrame(_listed(catalog), schema=_LISTED, orient="row").unique()
    by_card = listed.drop("unit_price", "connection_fee").join(
        card_prices.select(
            "card_key",
            "unit_price",
            "connection_fee",
            rate_prefix="prefix",
            rate_band="band",
            rate_valid_from="valid_from",
        ),
        on="card_key",
        how="inner",
    )
    per_unit = listed.filter(pl.col("card_key").is_null()).select(
        *AT_PRICE,
        "pricing_unit",
        rate_prefix=pl.lit(""),
        rate_band=pl.lit(""),
        rate_valid_from=pl.lit(None, pl.Date),
    )
    prices = pl.concat([per_unit, by_card.select(per_unit.columns)]).unique()
    summed = at_prices.filter(pl.col("price_key").is_in(listed["price_key"].unique().implode()))
    judged = summed.join(prices, on=[*AT_PRICE, *AT_RATE], how="left", nulls_equal=True)
    due = exact_product(pl.col("unit_price"), pl.col("units"), over=pl.col("pricing_unit"))
    # Each event was rounded to ten decimals, so sums may differ in the last ones.
    rounding = exact_product(pl.col("events").cast(AMOUNT), pl.lit("0.0000000001").cast(AMOUNT))
    is_right = ((due + pl.col("fees") - pl.col("amount")).abs() <= rounding).fill_null(value=False)
    groups = [*AT_PRICE, *AT_RATE, "account_key"]
    wrong = judged.filter(~is_right.any().over(groups)).unique(groups)
    return account_findings(
        wrong,
        control="event_prices",
        severity="block",
        subject=pl.format(
            "{} {} {}", "account_key", "price_key", pl.col("rate_prefix")
        ).str.strip_chars_end(),
        message=pl.format(
            "{} events since {} were rated at {} and cost {}, which is not what the catalog lists. "
            "Rate these days again; if they stay, look at the price and its card.",
            "events",
            "first",
            plain_text(pl.col("unit_price")),
            plain_text(pl.col("amount")),
        ),
    )


def _listed(catalog: Catalog) -> list[_Listed]:
    """The listed prices whose events can be judged."""
    agreed = {
        key
        for level in (catalog.negotiated, *catalog.inherited)
        for one in level
        for key in (one.replaces, "" if one.price is None else one.price.key)
    }
    unknown = agreed | set(pooled_prices(catalog)["price_key"])
    found: list[_Listed] = []
    for currency, price in _offers(catalog):
        known = _as_listed(currency, price, catalog)
        if known is None:
            unknown.add(price.key)
        else:
            found.append(known)
    return [known for known in found if known.price_key not in unknown]


def _offers(catalog: Catalog) -> Iterator[tuple[str, Price]]:
    """Every price of every plan, with the currency it is sold in."""
    for plan in catalog.plans:
        for price in plan.prices:
            yield plan.currency, price
        for offer in plan.in_currencies:
            for price in offer.prices:
                yield offer.currency, price


def _as_listed(currency: str, price: Price, catalog: Catalog) -> _Listed | None:
    if not isinstance(price, PerUnitUsage | RateCardUsage):
        return None
    if price.maximum is not None or price.introductory is not None:
        return None
    if isinstance(price, PerUnitUsage):
        return _Listed(price.key, None, price.amount, price.connection_fee, price.pricing_unit)
    card = catalog.rate_card_by_key.get(price.card)
    if card is None or card.currency != currency:
        return None
    return _Listed(price.key, card.key, None, None, card.pricing_unit)
