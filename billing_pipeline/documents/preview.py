"""A tenant's templates tried on sample documents, before any customer sees them."""

import datetime as dt
import traceback
from decimal import Decimal
from typing import Literal, get_args

import yaml

from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.documents.email import invoice_email
from billing_pipeline.documents.receipt import receipt_pdf
from billing_pipeline.documents.render import invoice_pdf
from billing_pipeline.documents.sample_usage import sample_usage
from billing_pipeline.documents.template_sets import SETTINGS, TemplateSet
from billing_pipeline.invoicing.assemble import payment_details, seller_party
from billing_pipeline.invoicing.document import (
    InvoiceDocument,
    Line,
    Party,
    Section,
    Statement,
    TaxGroup,
    UsageTotal,
)
from billing_pipeline.invoicing.document_parts import TieredLine, TierUsed
from billing_pipeline.invoicing.usage import usage_by_day, usage_totals
from billing_pipeline.receivables.receipt import Receipt, SettledDocument
from billing_pipeline.vocabulary.money import minor_exponent
from billing_pipeline.vocabulary.problems import Problem

_SAMPLE_DAY = dt.date(2026, 3, 1)
_PERIOD = (dt.date(2026, 2, 1), _SAMPLE_DAY)
_RATE = Decimal(20)
_NOTHING = Decimal(0)
_NO_USAGE = UsageTotal("Sample destination", 12, Decimal(345), Decimal("12.34"))


DocumentKind = Literal["invoice", "credit_note", "receipt"]


def preview_pdf(
    tenant: Tenant, templates: TemplateSet, *, kind: DocumentKind = "invoice", events: int = 0
) -> bytes:
    """A sample document in the tenant's brand and language, with `events` usage events."""
    if kind == "receipt":
        return receipt_pdf(sample_receipt(tenant), templates)
    return invoice_pdf(sample_document(tenant, kind, events), templates)


def check_templates(tenant: Tenant, templates: TemplateSet) -> list[Problem]:
    """What is wrong with a tenant's templates: every kind of document is rendered once."""
    try:
        _ = templates.settings
    except (ValueError, yaml.YAMLError) as error:
        return [Problem(f"templates/{SETTINGS}", None, None, str(error))]
    problems = _uncounted_pages(templates)
    for kind in get_args(DocumentKind):
        try:
            preview_pdf(tenant, templates, kind=kind)
            if kind != "receipt":
                invoice_email(sample_document(tenant, kind), templates=templates)
        except Exception as error:  # noqa: BLE001 - a template may fail in any way
            file, row = _where(error, templates)
            message = f"sample {kind}: {type(error).__name__}: {error}"
            problems.append(Problem(f"templates/{file}", row, None, message))
    return problems


def _where(error: Exception, templates: TemplateSet) -> tuple[str, int | None]:
    """File and row of the set where a template failed, as far as it is known."""
    frames = traceback.extract_tb(error.__traceback__)
    for frame in reversed(frames):
        if frame.filename in templates.content:
            return frame.filename, frame.lineno
    return getattr(error, "name", None) or SETTINGS, getattr(error, "lineno", None)


def _uncounted_pages(templates: TemplateSet) -> list[Problem]:
    message = "counter(pages) does not know the pages of the usage; include page_number.html.j2"
    return [
        Problem(f"templates/{name}", None, None, message)
        for name, text in templates.files
        if "counter(pages)" in text and name != "page_number.html.j2"
    ]


def sample_document(
    tenant: Tenant, kind: Literal["invoice", "credit_note"], events: int = 0
) -> InvoiceDocument:
    """A document with everything a template may meet: two accounts, usage, a discount."""
    unit = 10 ** minor_exponent(tenant.currency)
    sections = (
        Section("10042", "Sample Customer Ltd", (_line(1, "Monthly fee", 49 * unit),)),
        Section(
            "10042-2",
            "Sample Branch with a Rather Long Name",
            (_line(2, "Usage", 130 * unit), _line(3, "Loyalty discount", -13 * unit, "discount")),
        ),
    )
    net = sum(section.net_minor for section in sections)
    tax = net * int(_RATE) // 100
    entity, usage = tenant.legal_entity, sample_usage(tenant, events)
    number = "SAMPLE-000042"
    return InvoiceDocument(
        invoice_key="sample",
        invoice_number=number,
        kind=kind,
        tenant_key=tenant.key,
        brand=tenant.name,
        branding=tenant.branding_in(tenant.locale),
        locale=tenant.locale,
        time_zone=tenant.time_zone,
        issue_date=_SAMPLE_DAY,
        due_date=_SAMPLE_DAY + dt.timedelta(days=tenant.payment_terms_days),
        period_from=_PERIOD[0],
        period_until=_PERIOD[1],
        currency=tenant.currency,
        seller=seller_party(entity),
        buyer=Party(
            "Sample Customer Ltd", "1 High Street", "Sampleton", "12345", None, entity.country
        ),
        account_key="10042",
        sections=sections,
        taxes=(TaxGroup("S", _RATE, "Tax 20 %", None, net, tax),),
        net_minor=net,
        tax_minor=tax,
        total_minor=net + tax,
        payment=payment_details(entity, number),
        corrects_invoice=None,
        usage_totals=usage_totals(usage) or (_NO_USAGE,),
        daily_usage=usage_by_day(usage, tenant.time_zone),
        itemisation=usage,
        tiers=(_sample_tiers(130 * unit),),
        statement=Statement(120 * unit, 100 * unit, 0, net + tax, 20 * unit + net + tax),
    )


def _sample_tiers(net_minor: int) -> TieredLine:
    """130 GB: 30 at 2.00 and 100 at 0.70."""
    first = TierUsed(_NOTHING, Decimal(30), Decimal(30), Decimal(2), _NOTHING, Decimal(60))
    more = TierUsed(Decimal(30), None, Decimal(100), Decimal("0.7"), _NOTHING, Decimal(70))
    return TieredLine("Usage", "GB", Decimal(130), net_minor, (first, more))


def sample_receipt(tenant: Tenant) -> Receipt:
    """A receipt with everything a template may meet."""
    document, unit = sample_document(tenant, "invoice"), 10 ** minor_exponent(tenant.currency)
    return Receipt(
        payment_key="SAMPLE-7",
        tenant_key=tenant.key,
        brand=tenant.name,
        branding=tenant.branding_in(tenant.locale),
        locale=tenant.locale,
        seller=document.seller,
        buyer=document.buyer,
        account_key=document.account_key,
        received_on=_SAMPLE_DAY,
        currency=tenant.currency,
        amount_minor=200 * unit,
        reference="Thank you",
        items=(
            SettledDocument(
                document.invoice_number, _SAMPLE_DAY, document.total_minor, document.total_minor
            ),
        ),
    )


def _line(number: int, description: str, net_minor: int, kind: str = "recurring") -> Line:
    return Line(
        line_number=number,
        charge_kind=kind,
        description=description,
        subscription_key="S-1",
        service_from=_PERIOD[0],
        service_until=_PERIOD[1],
        quantity=Decimal(1),
        unit="month",
        unit_price=None,
        net_minor=net_minor,
        tax_code="S",
        tax_rate=_RATE,
        corrects_invoice=None,
    )
