"""A receipt as HTML and PDF, in the brand's own templates."""

import hashlib

from billing_pipeline.documents.formats import formats
from billing_pipeline.documents.hybrid import finish
from billing_pipeline.documents.labels import labels
from billing_pipeline.documents.page_numbers import number_pages
from billing_pipeline.documents.render import lay_out, logo_address
from billing_pipeline.documents.sandbox import environment
from billing_pipeline.documents.template_sets import TemplateSet
from billing_pipeline.receivables.receipt import Receipt


def receipt_html(receipt: Receipt, templates: TemplateSet) -> str:
    """The receipt as HTML, without its style sheet."""
    template = environment(templates).get_template("receipt.html.j2")
    return template.render(
        receipt=receipt,
        words=labels(receipt.locale),
        formats=formats(receipt.locale),
        logo=logo_address(templates),
    )


def receipt_pdf(receipt: Receipt, templates: TemplateSet) -> bytes:
    """The receipt as PDF/A-3b; byte-identical for equal input in any process.

    Raises: ResourceRefused, GlyphMissing as documents do.
    """
    html = receipt_html(receipt, templates)
    rendered = lay_out(html, templates, receipt.branding)
    number_pages(rendered, labels(receipt.locale)["page"], templates.settings.font)
    stamp = f"{receipt.received_on.isoformat()}T00:00:00Z"
    rendered.metadata.created = rendered.metadata.modified = stamp
    digest = hashlib.sha256(f"{templates.digest}\0{html}".encode()).hexdigest()
    content: bytes = rendered.write_pdf(
        finisher=finish, pdf_variant="pdf/a-3b", pdf_identifier=digest[:32].encode()
    )
    return content
