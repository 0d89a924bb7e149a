"""JSON Schema of every file of a tenant folder, for editors and for other systems."""

from collections.abc import Sequence

from pydantic import JsonValue

from billing_pipeline.catalog.check_terms import MOMENTS, STATUSES
from billing_pipeline.catalog.json_schema import json_schemas
from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.intake.csv_tables import CsvColumn, cell_pattern
from billing_pipeline.intake.subscription_terms import TERMS_COLUMNS
from billing_pipeline.intake.tenant_tables import TABLE_COLUMNS

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_WORDS: dict[tuple[str, str], Sequence[str]] = {
    ("subscription_changes", "takes_effect"): MOMENTS,
    ("agreed_prices", "takes_effect"): MOMENTS,
    ("subscription_changes", "status"): STATUSES,
}


def folder_schemas() -> dict[str, dict[str, JsonValue]]:
    """Schemas by file: of a YAML file the document, of a CSV table one row with its columns."""
    return {"tenant": Tenant.model_json_schema(), **json_schemas(), **table_schemas()}


def table_schemas() -> dict[str, dict[str, JsonValue]]:
    """Schema of one row of each CSV table, by the table's name; cells are text as they stand."""
    tables = {**TABLE_COLUMNS, **TERMS_COLUMNS}
    return {name: _row_schema(name, columns) for name, columns in tables.items()}


def _row_schema(name: str, columns: Sequence[CsvColumn]) -> dict[str, JsonValue]:
    return {
        "$schema": _DRAFT,
        "title": f"One row of {name}.csv",
        "type": "object",
        "properties": {column.name: _cell(name, column) for column in columns},
        "required": [column.name for column in columns if column.is_required],
        "additionalProperties": False,
    }


def _cell(table: str, column: CsvColumn) -> dict[str, JsonValue]:
    """An optional cell may be empty; a required one fits its pattern."""
    words = _WORDS.get((table, column.name))
    if words is not None:
        return {"type": "string", "enum": ["", *words]}
    filled: dict[str, JsonValue] = {"type": "string", "pattern": cell_pattern(column.kind)}
    if column.is_required:
        return filled
    return {"anyOf": [filled, {"const": ""}]}
