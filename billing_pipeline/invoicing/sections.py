"""The lines of a document, gathered as the tenant wants them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from billing_pipeline.catalog.plans import Product
from billing_pipeline.customers.tenant import InvoiceSections
from billing_pipeline.invoicing.document import Line, Section
from billing_pipeline.vocabulary.money import AMOUNT, to_minor_units

_LINE = [
    "line_number",
    "charge_kind",
    "description",
    "subscription_key",
    "service_from",
    "service_until",
    "quantity",
    "unit",
    "unit_price",
    "net_minor",
    "tax_code",
    "tax_rate",
    "corrects_invoice",
]
_BY: dict[InvoiceSections, list[str]] = {
    "account": ["account_key"],
    "subscription": ["account_key", "subscription_key"],
    "product": ["account_key", "product_key"],
    "section": ["account_key", "section"],
    "category": ["account_key", "section"],
}


def sections(
    lines: pl.DataFrame,
    accounts: pl.DataFrame,
    sign: int,
    gathered_by: InvoiceSections,
    names_of_products: Mapping[str, str],
) -> tuple[Section, ...]:
    """Lines as they are gathered, in printing order, with figures as printed.

    `names_of_products` is what `headings` says of the same gathering.
    """
    names = dict(zip(accounts["account_key"].to_list(), accounts["name"].to_list(), strict=True))
    parts = (
        lines.sort("line_number")
        .with_columns(section=_heading(names_of_products))
        .with_columns(net_minor=sign * pl.col("net_minor"), unit_price=_price_that_multiplies())
        .partition_by(_BY[gathered_by], as_dict=True, maintain_order=True)
    )
    return tuple(
        Section(
            account_key=str(key[0]),
            name=_name(names[str(key[0])], key[1:], gathered_by, names_of_products),
            lines=tuple(Line(*values) for values in rows(part, _LINE)),
        )
        for key, part in parts.items()
    )


def headings(
    gathered_by: InvoiceSections, products: Mapping[str, Product], categories: Mapping[str, str]
) -> dict[str, str]:
    """What each product stands under: its section or category, and without one its own name.

    `categories` are names by key.
    """
    match gathered_by:
        case "section":
            return {key: product.section or product.name for key, product in products.items()}
        case "category":
            return {
                key: categories.get(product.category or "", product.name)
                for key, product in products.items()
            }
        case _:
            return {key: product.name for key, product in products.items()}


def _heading(names_of_products: Mapping[str, str]) -> pl.Expr:
    key = pl.col("product_key")
    return key.replace_strict(names_of_products, default=key, return_dtype=pl.String)


def _name(
    account: str,
    within: tuple[object, ...],
    gathered_by: InvoiceSections,
    names_of_products: Mapping[str, str],
) -> str:
    known = [str(key) for key in within if key is not None]
    if gathered_by == "product":
        known = [names_of_products.get(key, key) for key in known]
    return " \u00b7 ".join([account, *known])


def _price_that_multiplies() -> pl.Expr:
    """The unit price where quantity times it is the line net; null where readers would stumble."""
    product = pl.col("quantity").cast(AMOUNT) * pl.col("unit_price").cast(AMOUNT)
    is_net = to_minor_units(product, pl.col("currency")).abs() == pl.col("net_minor").abs()
    # What a discount takes off is no price of anything.
    is_price = pl.col("charge_kind") != "discount"
    return pl.when(is_net & is_price).then(pl.col("unit_price"))


def rows(frame: pl.DataFrame, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
    """The rows of a small frame as tuples, column by column."""
    return zip(*(frame.get_column(name).to_list() for name in columns), strict=True)
