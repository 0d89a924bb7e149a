"""JSON Schema of every YAML file of a tenant folder, for editors and for other systems."""

from pydantic import JsonValue

from billing_pipeline.catalog.json_schema import json_schemas
from billing_pipeline.customers.tenant import Tenant


def folder_schemas() -> dict[str, dict[str, JsonValue]]:
    """Schemas by file: `tenant`, `products`, `plans`, `prices`, `taxes`, `rate_cards`, `feed`."""
    return {"tenant": Tenant.model_json_schema(), **json_schemas()}
