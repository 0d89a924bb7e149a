"""A tenant's catalog with what it sells of the tenant above it; its own goes before."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

import polars as pl

from billing_pipeline.catalog.catalog import Catalog


class _Keyed(Protocol):
    @property
    def key(self) -> str: ...


Thing = TypeVar("Thing", bound=_Keyed)


def with_inherited(own: Catalog, above: Catalog) -> Catalog:
    """Products, their categories, plans, discounts, rate cards of both; of one key its own holds.

    Agreements of the tenant above come along as far as they are for an account type or for
    everyone: its accounts are not the tenant's. Taxes are the tenant's own.
    """
    shared = tuple(
        one for one in above.negotiated if one.account is None and one.subscription is None
    )
    return replace(
        own,
        categories=_both(own.categories, above.categories),
        products=_both(own.products, above.products),
        plans=_both(own.plans, above.plans),
        discounts=_both(own.discounts, above.discounts),
        rate_cards=_both(own.rate_cards, above.rate_cards),
        inherited=(shared, *above.inherited),
    )


def with_inherited_rows(own: pl.DataFrame, above: pl.DataFrame, catalog: Catalog) -> pl.DataFrame:
    """RATE_CARD_PRICES of both tenants; `catalog` is the tenant's own, whose cards hold."""
    mine = [card.key for card in catalog.rate_cards]
    others = above.filter(~pl.col("card_key").is_in(mine))
    # Rows of a file are numbered, inherited ones stand in no file of the tenant.
    return pl.concat([own, others], how="diagonal")


def _both(own: Sequence[Thing], above: Sequence[Thing]) -> tuple[Thing, ...]:
    keys = {thing.key for thing in own}
    return (*own, *(thing for thing in above if thing.key not in keys))
