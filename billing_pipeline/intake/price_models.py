"""Checks of price models that other packages bring."""

from collections.abc import Iterator

from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.prices import PluginUsage, Price
from billing_pipeline.rating.models.registry import event_model
from billing_pipeline.vocabulary.problems import ConfigurationRefused, Problem


def check_price_models(catalog: Catalog) -> list[Problem]:
    """Plug-ins that prices name and no installed package brings."""
    return [
        Problem(file, None, f"{path}/plugin", message)
        for file, path, price in _prices(catalog)
        if isinstance(price, PluginUsage) and (message := _missing(price)) is not None
    ]


def _prices(catalog: Catalog) -> Iterator[tuple[str, str, Price]]:
    """Every price with the file and the path it stands at."""
    for at, plan in enumerate(catalog.plans):
        for number, price in enumerate(plan.prices):
            yield "plans.yaml", f"plans/{at}/prices/{number}", price
        for place, offer in enumerate(plan.in_currencies):
            for number, price in enumerate(offer.prices):
                path = f"plans/{at}/in_currencies/{place}/prices/{number}"
                yield "plans.yaml", path, price
    for at, agreed in enumerate(catalog.negotiated):
        if agreed.price is not None:
            yield "prices.yaml", f"prices/{at}/price", agreed.price


def _missing(price: PluginUsage) -> str | None:
    try:
        event_model(price)
    except ConfigurationRefused as refused:
        return refused.problems[0].message
    return None
