"""One document as HTML and as PDF: equal documents and templates give equal bytes."""

import hashlib
from dataclasses import dataclass
from functools import cache, lru_cache

import weasyprint
from weasyprint.text.fonts import FontConfiguration

from billing_pipeline.customers.tenant import Branding
from billing_pipeline.documents.annex import (
    ROWS_PER_PAGE,
    AnnexGroup,
    annex_anchor,
    annex_groups,
    annex_head,
    annex_pages,
)
from billing_pipeline.documents.chart import UsageChart, destination_shares, usage_chart
from billing_pipeline.documents.drawn_page import draw_on_pages, repeat_page
from billing_pipeline.documents.drawn_shapes import Shapes
from billing_pipeline.documents.drawn_text import (
    FONT_SIZE_PT,
    LINE_PT,
    DrawnLines,
    TextPage,
    drawn_style,
)
from billing_pipeline.documents.einvoice.cii import cii_invoice
from billing_pipeline.documents.einvoice.facts import why_impossible
from billing_pipeline.documents.fetching import FetchRefused, NoFetching
from billing_pipeline.documents.formats import formats
from billing_pipeline.documents.hybrid import embed_einvoice, finish
from billing_pipeline.documents.labels import labels
from billing_pipeline.documents.page_numbers import number_pages
from billing_pipeline.documents.payment_code import PaymentCode, payment_code
from billing_pipeline.documents.quick_styles import use_short_cuts
from billing_pipeline.documents.sandbox import ResourceRefused, environment
from billing_pipeline.documents.template_sets import TemplateSet, default_template_set
from billing_pipeline.invoicing.document import InvoiceDocument

use_short_cuts()

_MOST_SETS = 64
LAID_OUT = 2
"""Annex pages that WeasyPrint lays out: the one with the title, and one to repeat."""
LAST_LAID_OUT = annex_anchor(LAID_OUT)


def invoice_html(document: InvoiceDocument, templates: TemplateSet | None = None) -> str:
    """The document as HTML with its usage as text, without its style sheet.

    Raises: jinja2.TemplateError where a tenant's template fails or oversteps the sandbox.
    """
    chosen = templates or default_template_set()
    pictures = _pictures(document, chosen)
    return _filled_in(document, chosen, pictures, annex=_annex(document, chosen))


def invoice_pdf(document: InvoiceDocument, templates: TemplateSet | None = None) -> bytes:
    """The document as PDF/A-3b, with its e-invoice embedded where the norm can express it.

    Byte-identical for equal input in any process: dates come from the document, the identifier
    from its content.
    Raises: ResourceRefused if the document asks for anything outside itself;
    GlyphMissing if no font has a character.
    """
    chosen = templates or default_template_set()
    branding, words = document.branding, labels(document.locale)
    annex = annex_pages(_annex(document, chosen), annex_head(words), ROWS_PER_PAGE[branding.paper])
    pictures = _pictures(document, chosen)
    shapes = pictures.shapes(branding.colour)
    html = _filled_in(document, chosen, pictures, pages=annex[:LAID_OUT], shapes=shapes)
    rendered = lay_out(html, chosen, branding)
    style = drawn_style(chosen.settings.mono_font, branding.colour)
    lines = [DrawnLines(page, style) for page in annex]
    draw_on_pages(rendered, [*shapes, *lines[:LAID_OUT]])
    repeat_page(rendered, LAST_LAID_OUT, lines[LAID_OUT:])
    number_pages(rendered, words["page"], chosen.settings.font)
    stamp = f"{document.issue_date.isoformat()}T00:00:00Z"
    rendered.metadata.created = rendered.metadata.modified = stamp
    if why_impossible(document) is None:
        embed_einvoice(rendered, cii_invoice(document), document.issue_date)
    content: bytes = rendered.write_pdf(
        finisher=finish,
        pdf_variant="pdf/a-3b",
        pdf_identifier=_identifier(chosen, html, annex, shapes),
    )
    return content


@dataclass(frozen=True)
class _Pictures:
    """What a document shows beside text."""

    code: PaymentCode | None
    chart: UsageChart | None
    shares: tuple[int, ...] = ()

    def shapes(self, colour: str) -> tuple[Shapes, ...]:
        """The pictures for paper, bars in `colour`."""
        code = () if self.code is None else (self.code.shapes,)
        return code if self.chart is None else (*code, self.chart.shapes(colour))


def _pictures(document: InvoiceDocument, templates: TemplateSet) -> _Pictures:
    kind = templates.settings.usage_chart
    return _Pictures(
        code=payment_code(document),
        chart=usage_chart(document, kind),
        shares=destination_shares(document, kind),
    )


def _identifier(
    templates: TemplateSet, html: str, pages: tuple[TextPage, ...], shapes: tuple[Shapes, ...]
) -> bytes:
    drawn = "\f".join("\n".join(page.lines) for page in pages)
    content = f"{templates.digest}\0{html}\0{drawn}\0{shapes}"
    return hashlib.sha256(content.encode()).hexdigest()[:32].encode()


def _annex(document: InvoiceDocument, templates: TemplateSet) -> tuple[AnnexGroup, ...]:
    most_rows = templates.settings.itemisation_rows
    locale_formats = formats(document.locale)
    return annex_groups(document.itemisation, document.time_zone, locale_formats, most_rows)


def _filled_in(
    document: InvoiceDocument,
    templates: TemplateSet,
    pictures: _Pictures,
    *,
    annex: tuple[AnnexGroup, ...] = (),
    pages: tuple[TextPage, ...] = (),
    shapes: tuple[Shapes, ...] = (),
) -> str:
    words = labels(document.locale)
    return (
        environment(templates)
        .get_template("invoice.html.j2")
        .render(
            invoice=document,
            words=words,
            formats=formats(document.locale),
            sections=templates.settings.sections,
            annex=annex,
            annex_pages=pages,
            annex_head=annex_head(words),
            payment_code=pictures.code,
            chart=pictures.chart,
            shares=pictures.shares,
            drawn=tuple(shape.anchor for shape in shapes),
            logo=logo_address(templates),
        )
    )


def logo_address(templates: TemplateSet) -> str | None:
    """The logo of a set as a `data:` address; None without one."""
    name = templates.settings.logo
    return None if name is None else templates.address(name)


def lay_out(html: str, templates: TemplateSet, branding: Branding) -> weasyprint.Document:
    """Pages of a document in the style of a set.

    Raises: ResourceRefused if it asks for anything outside itself.
    """
    style, fonts = _style_sheet(templates, branding), _fonts(_own_fonts(templates))
    try:
        source = weasyprint.HTML(string=html, url_fetcher=NoFetching())
        return source.render(stylesheets=[style, _pdf_a_style()], font_config=fonts)
    except FetchRefused as refusal:
        raise ResourceRefused(str(refusal)) from None


@lru_cache(maxsize=_MOST_SETS)
def _fonts(own: tuple[str, ...]) -> FontConfiguration:  # noqa: ARG001 - it tells them apart
    """One per process and set of own fonts: building it costs a tenth of a small document."""
    return FontConfiguration()


def _own_fonts(templates: TemplateSet) -> tuple[str, ...]:
    """What tells apart sets that bring fonts; all others share the installed ones."""
    return tuple(templates.content[font.file] for font in templates.settings.fonts)


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
            faces=[(font, templates.address(font.file)) for font in settings.fonts],
            logo_height_mm=settings.logo_height_mm,
            drawn_font_pt=FONT_SIZE_PT,
            drawn_line_pt=LINE_PT,
        )
    )
    return weasyprint.CSS(
        string=text, font_config=_fonts(_own_fonts(templates)), url_fetcher=NoFetching()
    )
