"""The closed set of price models that price events, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from billing_pipeline.rating.models.carried import CARRIED
from billing_pipeline.rating.models.model import EventModel
from billing_pipeline.rating.models.over_period import OVER_PERIOD
from billing_pipeline.rating.models.per_unit import PER_UNIT
from billing_pipeline.rating.models.rate_card import RATE_CARD

EVENT_MODELS: Mapping[str, EventModel] = MappingProxyType(
    {model.name: model for model in (PER_UNIT, RATE_CARD, CARRIED, *OVER_PERIOD)}
)
"""Models by the name configuration gives them."""
