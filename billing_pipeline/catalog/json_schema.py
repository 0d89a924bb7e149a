"""The JSON Schemas of the catalog's files: editors complete and check by them."""

from pydantic import BaseModel, JsonValue

from billing_pipeline.catalog.agreements import NegotiatedPrices
from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.catalog.plans import Plans, Products
from billing_pipeline.catalog.rate_cards import RateCards
from billing_pipeline.catalog.taxes import Taxes

_MODELS: dict[str, type[BaseModel]] = {
    "products": Products,
    "plans": Plans,
    "prices": NegotiatedPrices,
    "taxes": Taxes,
    "rate_cards": RateCards,
    "feed": Feed,
}


def json_schemas() -> dict[str, dict[str, JsonValue]]:
    """JSON Schema (draft 2020-12) of each kind of YAML file, by the file's name."""
    return {name: model.model_json_schema() for name, model in _MODELS.items()}
