"""Templates are code of other people: what they may touch, and what they may not."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any

from jinja2 import BaseLoader, Environment, StrictUndefined, TemplateNotFound
from jinja2.runtime import LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from billing_pipeline.customers.tenant import Branding
from billing_pipeline.documents.annex import AnnexGroup
from billing_pipeline.documents.chart import Bar, UsageChart
from billing_pipeline.documents.drawn_text import TextPage
from billing_pipeline.documents.email_words import EmailWords
from billing_pipeline.documents.formats import Formats
from billing_pipeline.documents.payment_code import PaymentCode
from billing_pipeline.documents.template_sets import FontFile, TemplateSet
from billing_pipeline.invoicing import document as model
from billing_pipeline.invoicing import document_parts as parts
from billing_pipeline.receivables.receipt import Receipt, SettledDocument

_OPEN_TO_TEMPLATES = (
    str, Markup, int, Decimal, bool, dt.date, tuple, list, dict, LoopContext, Macro,
    Branding, Formats, model.InvoiceDocument, model.Section, model.Line,
    parts.ServiceTotal, parts.TieredLine, parts.TierUsed, model.Party,
    model.TaxGroup, model.StackedTax, model.ConvertedTax,
    model.PaymentDetails, parts.Mandate, model.UsageTotal, model.DailyUsage, model.Statement,
    Receipt, SettledDocument,
    AnnexGroup, TextPage, Bar, UsageChart, EmailWords, PaymentCode, FontFile,
)  # fmt: skip
_CLOSED_ATTRIBUTES = {"itemisation"}


class _Named(BaseLoader):
    """Files of a set under their own names, so that a failure says in which file and row it is."""

    def __init__(self, templates: TemplateSet) -> None:
        self._content = templates.content

    def get_source(
        self, _environment: Environment, template: str
    ) -> tuple[str, str, Callable[[], bool]]:
        """Text and name of a file. Raises: TemplateNotFound."""
        if template not in self._content:
            raise TemplateNotFound(template)
        return self._content[template], template, lambda: True


class DocumentEnvironment(ImmutableSandboxedEnvironment):
    """Jinja2 that escapes everything and opens only the document model to templates.

    The usage frame is closed: a frame can write files.
    """

    def __init__(self, templates: TemplateSet) -> None:
        super().__init__(
            loader=_Named(templates),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.globals.clear()

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ANN401 - as Jinja2 declares it
        """Allow public attributes of the document model and of plain values only."""
        return (
            isinstance(obj, _OPEN_TO_TEMPLATES)
            and attr not in _CLOSED_ATTRIBUTES
            and super().is_safe_attribute(obj, attr, value)
        )


@lru_cache(maxsize=64)
def environment(templates: TemplateSet) -> DocumentEnvironment:
    """The environment of a template set, made once per process: it keeps compiled templates."""
    return DocumentEnvironment(templates)


class ResourceRefused(Exception):
    """A document asked for something outside itself."""
