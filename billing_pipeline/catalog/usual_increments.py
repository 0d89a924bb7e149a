"""Rounding that a product, or a tenant for all it sells, declares once for many prices."""

from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from billing_pipeline.catalog.plans import Plan, Products
from billing_pipeline.catalog.price_terms import Increment
from billing_pipeline.catalog.prices import Price
from billing_pipeline.vocabulary.problems import Problem

_CANNOT_HAVE_ANY = "the model does not round single events"


def with_usual_increments(
    plans: Sequence[Plan], products: Products
) -> tuple[list[Plan], list[Problem]]:
    """The plans, each price that says no `increments` with those of its product or of the tenant.

    A price of a product of another tenant takes the tenant's. Mistakes are prices that cannot be
    rounded so; they are named as `plans.yaml` has them.
    """
    usual: dict[str, Increment] = {
        product.key: product.increments
        for product in products.products
        if product.increments is not None
    }
    if not usual and products.increments is None:
        return list(plans), []
    rounded = _Rounded(usual, products.increments)
    return [rounded.plan(plan, f"plans/{at}") for at, plan in enumerate(plans)], rounded.problems


class _Rounded:
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

    def _prices(self, prices: Sequence[Price], path: str) -> list[Price]:
        return [self._price(price, f"{path}/prices/{at}") for at, price in enumerate(prices)]

    def _price(self, price: Price, path: str) -> Price:
        usual = self._by_product.get(price.product, self._others)
        own = getattr(price, "increments", _CANNOT_HAVE_ANY)
        if usual is None or own not in (None, Increment()):
            return price
        try:
            return type(price).model_validate(
                price.model_dump(exclude={"increments"}) | {"increments": usual}
            )
        except ValidationError as error:
            why = error.errors()[0]["msg"].removeprefix("Value error, ")
            message = f"cannot take the increments of products.yaml: {why}; say its own"
            self.problems.append(Problem("plans.yaml", None, path, message))
            return price
