"""A catalog as rows for the books and back: one canonical JSON document per configured thing."""

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

import polars as pl
from pydantic import ConfigDict, TypeAdapter

from billing_pipeline.catalog.agreements import ALWAYS, NegotiatedPrice
from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.catalog.fx_rates import FxRate
from billing_pipeline.catalog.plans import Discount, Plan, Product, ProductCategory
from billing_pipeline.catalog.prices import Price
from billing_pipeline.catalog.rate_cards import RateCard
from billing_pipeline.catalog.schema import CATALOG_ENTRIES
from billing_pipeline.catalog.taxes import TaxRate
from billing_pipeline.vocabulary.configuration import Configuration
from billing_pipeline.vocabulary.identifiers import KEY_SEPARATOR

Model = TypeVar("Model", bound=Configuration)

ORDER = "order"
"""Kind of the entries that keep the order of a file's list: rates are tried in file order."""

TEMPLATE_FILE = "template_file"
"""Kind of the files of a tenant's `templates/` folder, by name."""

NEGOTIATED = "negotiated_price"
"""Kind of the entries of agreements, one per agreement and first day."""

_PRICE: TypeAdapter[Price] = TypeAdapter(Price, config=ConfigDict(defer_build=True))


class _Entry(NamedTuple):
    kind: str
    entry_key: str
    valid_from: dt.date
    valid_until: dt.date | None
    document: str


def catalog_entries(
    catalog: Catalog, feeds: Sequence[Feed], templates: Mapping[str, str] | None = None
) -> pl.DataFrame:
    """Everything configured as CATALOG_ENTRIES, sorted by kind and key.

    A plan names its prices in order; each price is an entry of its own, with its validity. For
    every other kind an entry of kind ORDER lists the keys as the files have them.
    """
    entries = list(_entries(catalog, feeds))
    entries = sorted([*entries, *_orders(entries), *_template_entries(templates or {})])
    frame = pl.DataFrame(entries, schema=CATALOG_ENTRIES.polars_schema, orient="row")
    return CATALOG_ENTRIES.conform(frame)


def catalog_from_entries(entries: pl.DataFrame) -> Catalog:
    """The catalog that CATALOG_ENTRIES describe, in the order of its files."""
    prices = {key: _PRICE.validate_json(document) for key, document in _documents(entries, "price")}
    return Catalog(
        categories=_parsed(entries, "product_category", ProductCategory),
        products=_parsed(entries, "product", Product),
        plans=tuple(
            _plan_with_prices(document, prices) for _, document in _documents(entries, "plan")
        ),
        discounts=_parsed(entries, "discount", Discount),
        tax_rates=_parsed(entries, "tax_rate", TaxRate),
        fx_rates=_parsed(entries, "fx_rate", FxRate),
        rate_cards=_parsed(entries, "rate_card", RateCard),
        negotiated=_parsed(entries, NEGOTIATED, NegotiatedPrice),
    )


def feeds_from_entries(entries: pl.DataFrame) -> tuple[Feed, ...]:
    """The feeds among CATALOG_ENTRIES, in the order they were read."""
    return _parsed(entries, "feed", Feed)


def template_files(entries: pl.DataFrame) -> dict[str, str]:
    """The files of the `templates/` folder among CATALOG_ENTRIES: text by name."""
    return {name: json.loads(document) for name, document in _documents(entries, TEMPLATE_FILE)}


def _template_entries(templates: Mapping[str, str]) -> Iterator[_Entry]:
    for name, text in templates.items():
        yield _Entry(TEMPLATE_FILE, name, ALWAYS, None, _canonical(text))


def _entries(catalog: Catalog, feeds: Sequence[Feed]) -> Iterator[_Entry]:
    yield from _timeless("product_category", catalog.categories)
    yield from _timeless("product", catalog.products)
    for plan in catalog.plans:
        yield _Entry("plan", plan.key, ALWAYS, None, _plan_without_prices(plan))
        for currency, price in _prices(plan):
            yield _Entry(
                "price",
                _price_entry_key(plan, price, currency),
                price.valid_from,
                price.valid_until,
                # What a price leaves to its model's defaults is not stored: a new option of a
                # model is no change of prices that do not use it.
                _canonical(price.model_dump(mode="json", exclude_defaults=True)),
            )
    yield from _timeless("discount", catalog.discounts)
    for rate in catalog.tax_rates:
        key = KEY_SEPARATOR.join((rate.key, rate.valid_from.isoformat()))
        document = _canonical(_stated(rate))
        yield _Entry("tax_rate", key, rate.valid_from, rate.valid_until, document)
    for fx_rate in catalog.fx_rates:
        document = _canonical(fx_rate.model_dump(mode="json"))
        yield _Entry("fx_rate", fx_rate.key, fx_rate.valid_from, None, document)
    yield from _timeless("rate_card", catalog.rate_cards)
    for feed in feeds:
        since = (feed.valid_from.isoformat(),) if feed.valid_from else ()
        document = _canonical(feed.model_dump(mode="json"))
        key = KEY_SEPARATOR.join((feed.key, *since))
        yield _Entry("feed", key, feed.valid_from or ALWAYS, None, document)
    for agreed in catalog.negotiated:
        key = KEY_SEPARATOR.join((agreed.key, agreed.valid_from.isoformat()))
        document = _canonical(agreed.model_dump(mode="json", exclude_defaults=True))
        yield _Entry(NEGOTIATED, key, agreed.valid_from, agreed.valid_until, document)


def _orders(entries: Sequence[_Entry]) -> Iterator[_Entry]:
    for kind in dict.fromkeys(entry.kind for entry in entries if entry.kind != "price"):
        keys = [entry.entry_key for entry in entries if entry.kind == kind]
        yield _Entry(ORDER, kind, ALWAYS, None, _canonical(keys))


def _timeless(
    kind: str, things: Iterable[ProductCategory | Product | Discount | RateCard]
) -> Iterator[_Entry]:
    for thing in things:
        yield _Entry(kind, thing.key, ALWAYS, None, _canonical(_stated(thing)))


_CAME_LATER: dict[str, object] = {
    "category": None,
    "categories": [],
    "free_initial": "0",
    "rounding": "up",
    "counted_as": [],
    "connection_fee_on": "used",
    "increments": None,
    "in_locales": {},
}
"""Fields that are stored only where they say something: what does not use them is as before."""


def _stated(thing: Configuration) -> dict[str, object]:
    document = thing.model_dump(mode="json")
    return {
        name: value
        for name, value in document.items()
        if name not in _CAME_LATER or value != _CAME_LATER[name]
    }


def _prices(plan: Plan) -> Iterator[tuple[str, Price]]:
    """Prices of a plan with the currency that tells apart those of other currencies than its."""
    yield from (("", price) for price in plan.prices)
    for offer in plan.in_currencies:
        yield from ((offer.currency, price) for price in offer.prices)


def _plan_without_prices(plan: Plan) -> str:
    document = plan.model_dump(mode="json", exclude={"prices", "in_currencies"})
    document["prices"] = [_price_entry_key(plan, price, "") for price in plan.prices]
    if plan.in_currencies:
        document["in_currencies"] = [
            offer.model_dump(mode="json", exclude={"prices"})
            | {"prices": [_price_entry_key(plan, price, offer.currency) for price in offer.prices]}
            for offer in plan.in_currencies
        ]
    return _canonical(document)


def _plan_with_prices(document: str, prices: dict[str, Price]) -> Plan:
    plan = json.loads(document)
    for offer in (plan, *plan.get("in_currencies", ())):
        offer["prices"] = [prices[key] for key in offer["prices"]]
    return Plan.model_validate(plan)


def _price_entry_key(plan: Plan, price: Price, currency: str) -> str:
    owner = (plan.key, currency) if currency else (plan.key,)
    return KEY_SEPARATOR.join((*owner, price.key, price.valid_from.isoformat()))


def _canonical(document: object) -> str:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _documents(entries: pl.DataFrame, kind: str) -> list[tuple[str, str]]:
    """Keys and documents of one kind in their files' order; by key where none was kept."""
    order = entries.filter((pl.col("kind") == ORDER) & (pl.col("entry_key") == kind))
    keys: list[str] = json.loads(order["document"][0]) if order.height else []
    position = {key: number for number, key in enumerate(keys)}
    of_kind = entries.filter(pl.col("kind") == kind).sort("entry_key")
    pairs = zip(of_kind["entry_key"].to_list(), of_kind["document"].to_list(), strict=True)
    return sorted(pairs, key=lambda pair: position.get(pair[0], len(position)))


def _parsed(entries: pl.DataFrame, kind: str, model: type[Model]) -> tuple[Model, ...]:
    return tuple(model.model_validate_json(document) for _, document in _documents(entries, kind))
