"""Checks of product categories: wherever one is named, it must be there and mean something."""

from collections.abc import Iterator, Sequence

from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.plans import Discount
from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.vocabulary.problems import Problem

_PRODUCTS_FILE = "products.yaml"


def check_categories(own: Catalog, catalog: Catalog, tenant: Tenant) -> list[Problem]:
    """Categories that stand twice, that nobody declared, and discounts on one without products.

    `own` is what the tenant's files say, `catalog` what it sells, its own first. Discounts of the
    tenant above are its own matter: one whose products are all replaced reduces nothing.
    """
    return [
        *_repeated([category.key for category in catalog.categories]),
        *_of_products(catalog),
        *_of_discounts(own.discounts, catalog),
        *_of_ledger_rules(catalog, tenant),
    ]


def _repeated(keys: Sequence[str]) -> Iterator[Problem]:
    for position, key in enumerate(keys):
        if key in keys[:position]:
            path = f"product_categories/{position}"
            yield Problem(_PRODUCTS_FILE, None, path, f"the key {key!r} is taken already")


def _of_products(catalog: Catalog) -> Iterator[Problem]:
    for position, product in enumerate(catalog.products):
        if product.category is not None:
            path = f"products/{position}/category"
            yield from _unknown(_PRODUCTS_FILE, path, product.category, catalog)


def _of_discounts(discounts: Sequence[Discount], catalog: Catalog) -> Iterator[Problem]:
    for position, discount in enumerate(discounts):
        for number, category in enumerate(discount.categories):
            path = f"discounts/{position}/categories/{number}"
            yield from _unknown("plans.yaml", path, category, catalog)
            if category in catalog.category_names and not catalog.products_of(category):
                message = f"no product is of category {category!r}, so nothing would be reduced"
                yield Problem("plans.yaml", None, path, message)


def _of_ledger_rules(catalog: Catalog, tenant: Tenant) -> Iterator[Problem]:
    for position, rule in enumerate(tenant.ledger_accounts.rules):
        if rule.category is not None:
            path = f"ledger_accounts/rules/{position}/category"
            yield from _unknown("tenant.yaml", path, rule.category, catalog)


def _unknown(file: str, path: str, key: str, catalog: Catalog) -> Iterator[Problem]:
    if key not in catalog.category_names:
        message = f"no category {key!r} in products.yaml; add it there or correct the key"
        yield Problem(file, None, path, message)
