"""Checks inside products, plans, discounts, taxes and rate-card headers."""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations

from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.plans import Plan, Product
from billing_pipeline.catalog.prices import (
    FlatPrice,
    OneTimePrice,
    Price,
    UsagePrice,
)
from billing_pipeline.catalog.rate_cards import RateCard
from billing_pipeline.catalog.selection import cards_named, share_a_day, take_equally
from billing_pipeline.vocabulary.problems import Problem

_KINDS_OF_MODEL = {
    "flat": {"recurring"},
    "one_time": {"one_time", "penalty", "adjustment"},
}
_KINDS_OF_TERM = {"penalty", "one_time", "adjustment"}


def check_plans(catalog: Catalog) -> list[Problem]:
    """Everything in the YAML files that does not fit together."""
    return [
        *_repeated("products.yaml", "products", [product.key for product in catalog.products]),
        *_repeated("plans.yaml", "plans", [plan.key for plan in catalog.plans]),
        *_repeated("plans.yaml", "discounts", [discount.key for discount in catalog.discounts]),
        *_repeated("rate_cards.yaml", "rate_cards", [card.key for card in catalog.rate_cards]),
        *_tax_problems(catalog),
        *_discount_problems(catalog),
        *(
            problem
            for position, plan in enumerate(catalog.plans)
            for problem in _plan_problems(f"plans/{position}", plan, catalog)
        ),
    ]


def check_rollover(catalog: Catalog, look_back_periods: int | None) -> list[Problem]:
    """Units that roll over where bill runs do not look at all periods they come from."""
    if look_back_periods is None:
        return []
    message = "units roll over only where every period is looked at; drop look_back_periods"
    return [
        Problem("plans.yaml", None, f"plans/{number}/included_units/{place}", message)
        for number, plan in enumerate(catalog.plans)
        for place, included in enumerate(plan.included_units)
        if included.rollover_periods
    ]


def _repeated(file: str, path: str, keys: Sequence[str]) -> Iterator[Problem]:
    for position, key in enumerate(keys):
        if key in keys[:position]:
            yield Problem(file, None, f"{path}/{position}", f"the key {key!r} is taken already")


def _tax_problems(catalog: Catalog) -> Iterator[Problem]:
    covered = {rate.category for rate in catalog.tax_rates}
    for position, product in enumerate(catalog.products):
        if product.tax_category not in covered:
            path = f"products/{position}/tax_category"
            message = f"no rate in taxes.yaml has category {product.tax_category!r}; add one"
            yield Problem("products.yaml", None, path, message)
    for (_, earlier), (position, later) in combinations(enumerate(catalog.tax_rates), 2):
        if earlier.key == later.key and share_a_day(earlier, later):
            message = "is valid at the same time as another rate of this key; end the earlier one"
            yield Problem("taxes.yaml", None, f"tax_rates/{position}/valid_from", message)


def _discount_problems(catalog: Catalog) -> Iterator[Problem]:
    for position, discount in enumerate(catalog.discounts):
        path = f"discounts/{position}"
        yield from _product_problems(
            f"{path}/product", discount.product, {"discount"}, catalog.product_by_key
        )
        for number, product in enumerate(discount.products):
            yield from _product_problems(
                f"{path}/products/{number}", product, None, catalog.product_by_key
            )


def _plan_problems(path: str, plan: Plan, catalog: Catalog) -> Iterator[Problem]:
    yield from _price_problems(path, plan.prices, plan.currency, catalog)
    for number, offer in enumerate(plan.in_currencies):
        place = f"{path}/in_currencies/{number}"
        yield from _price_problems(place, offer.prices, offer.currency, catalog)
    if plan.minimum_fee is not None:
        yield from _product_problems(
            f"{path}/minimum_fee/product", plan.minimum_fee.product, None, catalog.product_by_key
        )
    if plan.term is not None:
        yield from _product_problems(
            f"{path}/term/product", plan.term.product, _KINDS_OF_TERM, catalog.product_by_key
        )
    yield from _included_problems(path, plan)


def _price_problems(
    path: str, prices: Sequence[Price], currency: str, catalog: Catalog
) -> Iterator[Problem]:
    for position, price in enumerate(prices):
        here = f"{path}/prices/{position}"
        yield from price_problems("plans.yaml", here, price, currency, catalog)
        yield from _clashes(here, price, prices[:position])


def price_problems(
    file: str, path: str, price: Price, currency: str | None, catalog: Catalog
) -> Iterator[Problem]:
    """What is wrong with the product or the cards of one price; no currency is any."""
    kinds = _KINDS_OF_MODEL.get(price.model, {"usage"})
    for problem in (
        *_product_problems(f"{path}/product", price.product, kinds, catalog.product_by_key),
        *_card_problems(path, price, currency, catalog.rate_card_by_key),
        *_credit_problems(path, price, catalog.product_by_key),
    ):
        yield dataclasses.replace(problem, file=file)


def _product_problems(
    path: str, key: str, kinds: set[str] | None, products: Mapping[str, Product]
) -> Iterator[Problem]:
    product = products.get(key)
    if product is None:
        message = f"no product {key!r} in products.yaml; add it there or correct the key"
        yield Problem("plans.yaml", None, path, message)
    elif kinds is not None and product.kind not in kinds:
        wanted = " or ".join(sorted(kinds))
        message = f"product {key!r} is of kind {product.kind}, but this needs kind {wanted}"
        yield Problem("plans.yaml", None, path, message)


def _credit_problems(path: str, price: Price, products: Mapping[str, Product]) -> Iterator[Problem]:
    product = products.get(price.product)
    gives_back = isinstance(price, OneTimePrice) and price.amount < 0
    if gives_back and product is not None and product.kind != "adjustment":
        message = "is below zero; give money back by a product of kind adjustment"
        yield Problem("plans.yaml", None, f"{path}/amount", message)


def _card_problems(
    path: str, price: Price, currency: str | None, cards: Mapping[str, RateCard]
) -> Iterator[Problem]:
    for field, key, kind in cards_named(price):
        card = cards.get(key)
        if card is None:
            message = f"no rate card {key!r} in rate_cards.yaml; add it there or correct the key"
            yield Problem("plans.yaml", None, f"{path}/{field}", message)
        if card is not None and card.kind != kind:
            message = f"rate card {key!r} is of kind {card.kind}, but {field} needs kind {kind}"
            yield Problem("plans.yaml", None, f"{path}/{field}", message)
        if card is not None and currency is not None and card.currency != currency:
            message = f"rate card {key!r} is in {card.currency}, the plan in {currency}"
            yield Problem("plans.yaml", None, f"{path}/{field}", message)


def _clashes(path: str, price: Price, earlier_prices: Iterable[Price]) -> Iterator[Problem]:
    for earlier in earlier_prices:
        if earlier.key == price.key and share_a_day(earlier, price):
            message = "is valid at the same time as another price of this key; end the earlier one"
            yield Problem("plans.yaml", None, f"{path}/valid_from", message)
        elif (
            isinstance(earlier, UsagePrice)
            and isinstance(price, UsagePrice)
            and take_equally(earlier, price)
        ):
            message = (
                f"takes events that {earlier.key!r} takes too; give one of them a lower priority"
                " number to be tried first, or narrow its selector"
            )
            yield Problem("plans.yaml", None, f"{path}/applies_to", message)
        elif earlier.key == price.key and earlier.model != price.model:
            message = (
                f"is of model {price.model}, its earlier version of {earlier.model}; give what is"
                " counted in another way a key of its own"
            )
            yield Problem("plans.yaml", None, f"{path}/model", message)


def _included_problems(path: str, plan: Plan) -> Iterator[Problem]:
    usage: dict[str, UsagePrice] = {
        price.key: price for price in plan.prices if not isinstance(price, FlatPrice | OneTimePrice)
    }
    for position, included in enumerate(plan.included_units):
        for number, key in enumerate(included.prices):
            if key not in usage:
                message = f"{key!r} is no usage price, so units of it cannot be included"
                field = f"{path}/included_units/{position}/prices/{number}"
                yield Problem("plans.yaml", None, field, message)
