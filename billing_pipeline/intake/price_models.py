"""Checks of price models that other packages bring."""

from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.prices import PluginUsage
from billing_pipeline.rating.models.registry import event_model
from billing_pipeline.vocabulary.problems import ConfigurationRefused, Problem


def check_price_models(catalog: Catalog) -> list[Problem]:
    """Plug-ins that prices name and no installed package brings."""
    return [
        Problem("plans.yaml", None, f"plans/{plan_number}/prices/{number}/plugin", message)
        for plan_number, plan in enumerate(catalog.plans)
        for number, price in enumerate(plan.prices)
        if isinstance(price, PluginUsage) and (message := _missing(price)) is not None
    ]


def _missing(price: PluginUsage) -> str | None:
    try:
        event_model(price)
    except ConfigurationRefused as refused:
        return refused.problems[0].message
    return None
