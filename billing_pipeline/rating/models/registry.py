"""The closed set of price models that price events, and the door for models of others."""

from collections.abc import Mapping
from importlib.metadata import entry_points
from types import MappingProxyType

from billing_pipeline.catalog.prices import PluginUsage, UsagePrice
from billing_pipeline.rating.models.carried import CARRIED
from billing_pipeline.rating.models.cost_plus import COST_PLUS
from billing_pipeline.rating.models.metered import METERED
from billing_pipeline.rating.models.model import EventModel
from billing_pipeline.rating.models.over_period import OVER_PERIOD
from billing_pipeline.rating.models.per_event_steps import PER_EVENT_STEPS
from billing_pipeline.rating.models.per_unit import PER_UNIT
from billing_pipeline.rating.models.percentage import PERCENTAGE
from billing_pipeline.rating.models.rate_card import RATE_CARD
from billing_pipeline.rating.models.time_of_day import TIME_OF_DAY
from billing_pipeline.rating.models.zone_matrix import ZONE_MATRIX
from billing_pipeline.vocabulary.problems import ConfigurationRefused, Problem

GROUP = "billing_pipeline.price_models"
"""Entry point group of price models that others bring: objects of type EventModel."""

EVENT_MODELS: Mapping[str, EventModel] = MappingProxyType(
    {
        model.name: model
        for model in (
            PER_UNIT,
            RATE_CARD,
            COST_PLUS,
            TIME_OF_DAY,
            CARRIED,
            PERCENTAGE,
            ZONE_MATRIX,
            PER_EVENT_STEPS,
            METERED,
            *OVER_PERIOD,
        )
    }
)
"""Models by the name configuration gives them."""


def model_name(price: UsagePrice) -> str:
    """Name under which a price's model is prepared; each plug-in stands for itself."""
    return f"plugin {price.plugin}" if isinstance(price, PluginUsage) else price.model


def event_model(price: UsagePrice) -> EventModel:
    """Model of a price.

    Raises: ConfigurationRefused if no installed package brings the plug-in it names.
    """
    if not isinstance(price, PluginUsage):
        return EVENT_MODELS[price.model]
    for entry in entry_points(group=GROUP, name=price.plugin):
        model = entry.load()
        if isinstance(model, EventModel):
            return model
    message = f"no installed package brings a price model {price.plugin!r} as entry point {GROUP}"
    raise ConfigurationRefused([Problem("plans.yaml", None, price.key, message)])
