"""The document as JSON, for portals and customers' own systems."""

import dataclasses
import json
from datetime import date
from decimal import Decimal

from billing_pipeline.documents.einvoice.facts import plain
from billing_pipeline.invoicing.document import InvoiceDocument

FORMAT = "billing_pipeline.invoice/1"
_OWN_FIELDS = {"branding", "itemisation", "daily_usage"}


def invoice_json(document: InvoiceDocument) -> bytes:
    """The model as JSON: amounts in minor units, other numbers as exact strings, ISO dates.

    Usage records are not in it: they are the itemisation. Keys are those of `InvoiceDocument`.
    """
    shown = {
        field.name: getattr(document, field.name)
        for field in dataclasses.fields(document)
        if field.name not in _OWN_FIELDS
    }
    content = {"format": FORMAT, **shown}
    return (json.dumps(content, default=_written, ensure_ascii=False, indent=1) + "\n").encode()


def _written(value: object) -> object:
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, date):
        return value.isoformat()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    raise TypeError(f"{type(value).__name__} has no place in a document")
