"""Every price model has a module that works an example, and no schema anywhere holds a float."""

import pkgutil
from importlib import import_module
from inspect import getsource
from types import ModuleType

import pytest
import sqlalchemy as sa

import billing_pipeline
from billing_pipeline.books.tables import METADATA
from billing_pipeline.rating.models.registry import EVENT_MODELS
from billing_pipeline.vocabulary.frames import FrameSchema

MODELS = {
    "flat, quantity add-on": "billing.recurring",
    "one-time": "billing.one_time",
    "per unit, capped": "rating.models.per_unit",
    "graduated, with flat fees": "rating.models.graduated",
    "volume": "rating.models.volume",
    "package": "rating.models.package",
    "threshold": "rating.models.threshold",
    "95th percentile, commit and overage": "rating.models.percentile",
    "latest": "rating.models.latest",
    "rounding": "rating.increments",
    "per-event steps": "rating.models.per_event_steps",
    "percentage of amount": "rating.models.percentage",
    "rate card by prefix": "rating.models.rate_card",
    "zone matrix": "rating.models.zone_matrix",
    "time of day, holidays, seasons": "rating.models.time_of_day",
    "teaser": "catalog.introductions",
    "capped over the period": "billing.maximum",
    "included, pooled, rolled over": "rating.included",
    "minimum fee": "billing.minimum",
    "price carried by the record": "rating.models.carried",
    "cost plus": "rating.models.cost_plus",
    "metered": "rating.metering",
    "discount": "billing.discounts",
    "early termination": "billing.termination",
}


@pytest.mark.parametrize("module", MODELS.values(), ids=MODELS.keys())
def test_a_price_model_works_an_example(module: str) -> None:
    assert "xample:" in getsource(import_module(f"billing_pipeline.{module}"))


@pytest.mark.parametrize("name", EVENT_MODELS)
def test_a_model_of_events_works_an_example_where_it_is_prepared(name: str) -> None:
    module = import_module(EVENT_MODELS[name].prepare.__module__)

    assert "Worked example:" in (module.__doc__ or "")


def schema_modules() -> list[ModuleType]:
    found = pkgutil.walk_packages(billing_pipeline.__path__, "billing_pipeline.")
    return [import_module(one.name) for one in found if one.name.endswith("schema")]


def test_no_frame_and_no_table_holds_a_float() -> None:
    schemas = [
        one
        for module in schema_modules()
        for one in vars(module).values()
        if isinstance(one, FrameSchema)
    ]
    floats = [
        f"{schema.name}.{name}"
        for schema in schemas
        for name, dtype in schema.polars_schema.items()
        if dtype.is_float()
    ]
    columns = [column for table in METADATA.tables.values() for column in table.columns]
    floats += [str(one) for one in columns if isinstance(one.type, sa.Float)]

    assert floats == []
    assert len(schemas) > 30
    assert len(columns) > 200
