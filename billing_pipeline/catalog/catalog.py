"""Everything one tenant sells, as parsed from its files: the argument of the pure stages."""

from dataclasses import dataclass
from functools import cached_property

from billing_pipeline.catalog.agreements import NegotiatedPrice
from billing_pipeline.catalog.fx_rates import FxRate
from billing_pipeline.catalog.plans import Discount, Plan, Product, ProductCategory
from billing_pipeline.catalog.rate_cards import RateCard
from billing_pipeline.catalog.taxes import TaxRate


@dataclass(frozen=True)
class Catalog:
    """Products, plans, discounts, tax rates and rate-card headers in force at one known time.

    Rate-card rows are many and travel apart, as a RATE_CARD_PRICES frame. `inherited` are the
    agreements of the tenants above that hold below them, those of the nearest tenant first.
    """

    products: tuple[Product, ...] = ()
    plans: tuple[Plan, ...] = ()
    discounts: tuple[Discount, ...] = ()
    tax_rates: tuple[TaxRate, ...] = ()
    fx_rates: tuple[FxRate, ...] = ()
    rate_cards: tuple[RateCard, ...] = ()
    negotiated: tuple[NegotiatedPrice, ...] = ()
    inherited: tuple[tuple[NegotiatedPrice, ...], ...] = ()
    categories: tuple[ProductCategory, ...] = ()

    @cached_property
    def product_by_key(self) -> dict[str, Product]:
        """Products by key."""
        return {product.key: product for product in self.products}

    @cached_property
    def category_names(self) -> dict[str, str]:
        """Names of product categories by key."""
        return {category.key: category.name for category in self.categories}

    def products_of(self, category: str) -> tuple[str, ...]:
        """Keys of the products of a category."""
        return tuple(product.key for product in self.products if product.category == category)

    @cached_property
    def plan_by_key(self) -> dict[str, Plan]:
        """Plans by key."""
        return {plan.key: plan for plan in self.plans}

    @cached_property
    def rate_card_by_key(self) -> dict[str, RateCard]:
        """Rate-card headers by key."""
        return {card.key: card for card in self.rate_cards}
