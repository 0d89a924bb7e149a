"""Rounding that a product, or a tenant for all it sells, declares once for many prices."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pydantic import ValidationError

from billing_pipeline.catalog.agreements import NegotiatedPrice
from billing_pipeline.catalog.plans import Plan, Products
from billing_pipeline.catalog.price_terms import Increment
from billing_pipeline.catalog.prices import Price
from billing_pipeline.vocabulary.problems import Problem


class Rounded(NamedTuple):
    """Plans and agreements whose prices all say how they round, and prices that cannot so."""

    plans: Sequence[Plan]
    negotiated: Sequence[NegotiatedPrice]
    problems: Sequence[Problem]


def with_usual_increments(
    plans: Sequence[Plan], negotiated: Sequence[NegotiatedPrice], products: Products
) -> Rounded:
    """Give each price that says no `increments` those of its product or of the tenant.

    Cards say their own, in their header and rows. A price of a product that is declared by
    another tenant takes the tenant's.
    """
    usual: dict[str, Increment] = {
        product.key: product.increments
        for product in products.products
        if product.increments is not None
    }
    if not usual and products.increments is None:
        return Rounded(plans, negotiated, ())
    rounding = _Rounding(usual, products.increments)
    return Rounded(
        [rounding.plan(plan, f"plans/{at}") for at, plan in enumerate(plans)],
        [rounding.agreement(one, f"prices/{at}") for at, one in enumerate(negotiated)],
        rounding.problems,
    )


class _Rounding:
    """Gives prices their usual increments and collects those that cannot have them."""

    def __init__(self, by_product: Mapping[str, Increment], others: Increment | None) -> None:
        self._by_product = by_product
        self._others = others
        self.problems: list[Problem] = []

    def plan(self, plan: Plan, path: str) -> Plan:
        offers = [
            offer.model_copy(
                update={"prices": self._prices(offer.prices, f"{path}/in_currencies/{at}")}
            )
            for at, offer in enumerate(plan.in_currencies)
        ]
        changed = {"prices": self._prices(plan.prices, path), "in_currencies": offers}
        return plan.model_copy(update=changed)

    def agreement(self, agreed: NegotiatedPrice, path: str) -> NegotiatedPrice:
        if agreed.price is None:
            return agreed
        price = self._price(agreed.price, f"{path}/price", "prices.yaml")
        return agreed.model_copy(update={"price": price})

    def _prices(self, prices: Sequence[Price], path: str) -> list[Price]:
        return [self._price(price, f"{path}/prices/{at}") for at, price in enumerate(prices)]

    def _price(self, price: Price, path: str, file: str = "plans.yaml") -> Price:
        usual = self._by_product.get(price.product, self._others)
        can_have_any = "increments" in type(price).model_fields
        if usual is None or not can_have_any or "increments" in price.model_fields_set:
            return price
        try:
            return type(price).model_validate(
                price.model_dump(exclude={"increments"}) | {"increments": usual}
            )
        except ValidationError as error:
            why = error.errors()[0]["msg"].removeprefix("Value error, ")
            message = f"cannot take the increments of products.yaml: {why}; say its own"
            self.problems.append(Problem(file, None, path, message))
            return price
