"""The tax of a document as it is printed: by group, by stacked tax, and in the tax currency."""

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import polars as pl

from billing_pipeline.invoicing.document import ConvertedTax, StackedTax, TaxGroup
from billing_pipeline.invoicing.sections import rows

_TAX = ["tax_code", "tax_rate", "tax_label", "exemption", "base_minor", "tax_minor"]


def tax_groups(taxes: pl.DataFrame, sign: int) -> tuple[TaxGroup, ...]:
    """INVOICE_TAXES of one document with figures as printed."""
    printed = taxes.with_columns(pl.col("base_minor", "tax_minor") * sign)
    groups = zip(rows(printed, _TAX), printed["parts"].to_list(), strict=True)
    return tuple(TaxGroup(*(*values, _stacked(parts, sign))) for values, parts in groups)


def _stacked(written: str | None, sign: int) -> tuple[StackedTax, ...]:
    parts = [] if written is None else json.loads(written)
    return tuple(
        StackedTax(part["label"], Decimal(part["percent"]), sign * part["tax_minor"])
        for part in parts
        if not part.get("is_included")
    )


def converted_tax(document: Mapping[str, Any], sign: int) -> ConvertedTax | None:
    """The tax in the tax currency of a row of INVOICES; None where there is none."""
    if document["tax_currency"] is None:
        return None
    return ConvertedTax(
        currency=document["tax_currency"],
        tax_minor=sign * document["tax_currency_minor"],
        rate=document["fx_rate"],
        day=document["fx_date"],
        source=document["fx_source"],
    )
