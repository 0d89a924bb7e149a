"""One document as HTML and as PDF: equal documents and templates give equal bytes."""

import hashlib
from functools import cache, lru_cache

import weasyprint
from weasyprint.text.fonts import FontConfiguration

from billing_pipeline.customers.tenant import Branding
from billing_pipeline.documents.annex import (
    ROWS_PER_PAGE,
    AnnexGroup,
    annex_groups,
    annex_head,
    annex_pages,
)
from billing_pipeline.documents.chart import usage_chart
from billing_pipeline.documents.drawn_text import (
    FONT_SIZE_PT,
    LINE_PT,
    TextPage,
    draw_on_pages,
    drawn_style,
)
from billing_pipeline.documents.einvoice.cii import cii_invoice
from billing_pipeline.documents.einvoice.facts import why_impossible
from billing_pipeline.documents.formats import formats
from billing_pipeline.documents.hybrid import embed_einvoice, finish
from billing_pipeline.documents.labels import labels
from billing_pipeline.documents.payment_code import payment_code
from billing_pipeline.documents.sandbox import (
    FetchRefused,
    NoFetching,
    ResourceRefused,
    environment,
)
from billing_pipeline.documents.template_sets import TemplateSet, default_template_set
from billing_pipeline.invoicing.document import InvoiceDocument

_MOST_SETS = 64


def invoice_html(document: InvoiceDocument, templates: TemplateSet | None = None) -> str:
    """The document as HTML with its usage as text, without its style sheet.

    Raises: jinja2.TemplateError where a tenant's template fails or oversteps the sandbox.
    """
    chosen = templates or default_template_set()
    return _filled_in(document, chosen, annex=_annex(document, chosen))


def invoice_pdf(document: InvoiceDocument, templates: TemplateSet | None = None) -> bytes:
    """The document as PDF/A-3b, with its e-invoice embedded where the norm can express it.

    Byte-identical for equal input in any process: dates come from the document, the identifier
    from its content.
    Raises: ResourceRefused if the document asks for anything outside itself;
    GlyphMissing if no font has a character.
    """
    chosen = templates or default_template_set()
    branding = document.branding
    head = annex_head(labels(document.locale))
    pages = annex_pages(_annex(document, chosen), head, ROWS_PER_PAGE[branding.paper])
    html = _filled_in(document, chosen, pages=pages)
    rendered = _laid_out(html, _style_sheet(chosen, branding))
    draw_on_pages(rendered, pages, drawn_style(chosen.settings.mono_font, branding.colour))
    stamp = f"{document.issue_date.isoformat()}T00:00:00Z"
    rendered.metadata.created = rendered.metadata.modified = stamp
    if why_impossible(document) is None:
        embed_einvoice(rendered, cii_invoice(document), document.issue_date)
    content: bytes = rendered.write_pdf(
        finisher=finish, pdf_variant="pdf/a-3b", pdf_identifier=_identifier(chosen, html, pages)
    )
    return content


def _identifier(templates: TemplateSet, html: str, pages: tuple[TextPage, ...]) -> bytes:
    drawn = "\f".join("\n".join(page.lines) for page in pages)
    content = f"{templates.digest}\0{html}\0{drawn}"
    return hashlib.sha256(content.encode()).hexdigest()[:32].encode()


def _annex(document: InvoiceDocument, templates: TemplateSet) -> tuple[AnnexGroup, ...]:
    most_rows = templates.settings.itemisation_rows
    locale_formats = formats(document.locale)
    return annex_groups(document.itemisation, document.time_zone, locale_formats, most_rows)


def _filled_in(
    document: InvoiceDocument,
    templates: TemplateSet,
    *,
    annex: tuple[AnnexGroup, ...] = (),
    pages: tuple[TextPage, ...] = (),
) -> str:
    words = labels(document.locale)
    settings = templates.settings
    return (
        environment(templates)
        .get_template("invoice.html.j2")
        .render(
            invoice=document,
            words=words,
            formats=formats(document.locale),
            sections=settings.sections,
            annex=annex,
            annex_pages=pages,
            annex_head=annex_head(words),
            payment_code=payment_code(document),
            chart=usage_chart(document, settings.usage_chart),
        )
    )


def _laid_out(html: str, style: weasyprint.CSS) -> weasyprint.Document:
    try:
        source = weasyprint.HTML(string=html, url_fetcher=NoFetching())
        return source.render(stylesheets=[style, _pdf_a_style()], font_config=_fonts())
    except FetchRefused as refusal:
        raise ResourceRefused(str(refusal)) from None


@cache
def _fonts() -> FontConfiguration:
    """One per process: building it anew costs a tenth of a small document."""
    return FontConfiguration()


@cache
def _pdf_a_style() -> weasyprint.CSS:
    """What no style sheet may undo: interpolated pictures are not PDF/A (ISO 19005-3, 6.2.8)."""
    return weasyprint.CSS(string="* { image-rendering: crisp-edges !important }")


@lru_cache(maxsize=_MOST_SETS)
def _style_sheet(templates: TemplateSet, branding: Branding) -> weasyprint.CSS:
    """The style sheet of a set in a tenant's colours and on its paper, parsed once."""
    settings = templates.settings
    text = (
        environment(templates)
        .get_template("invoice.css")
        .render(
            branding=branding,
            font=settings.font,
            mono_font=settings.mono_font,
            drawn_font_pt=FONT_SIZE_PT,
            drawn_line_pt=LINE_PT,
        )
    )
    return weasyprint.CSS(string=text, font_config=_fonts(), url_fetcher=NoFetching())
