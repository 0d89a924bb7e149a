import base64
import io
import re
from dataclasses import replace
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pikepdf
import pytest
from PIL import Image

from billing_pipeline.documents.einvoice.cii import cii_invoice
from billing_pipeline.documents.hybrid import GlyphMissing, PictureRefused
from billing_pipeline.documents.render import invoice_pdf
from billing_pipeline.documents.template_sets import TemplateSet, default_template_set
from billing_pipeline.invoicing.document import InvoiceDocument
from billing_pipeline_tests.documents.builders import (
    credit_note,
    document_of,
    family_invoice,
    small_invoice,
)
from billing_pipeline_tests.documents.norm import artefacts
from billing_pipeline_tests.invoicing.builders import to_post

pytestmark = pytest.mark.pdf

RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}RDF"


def container_errors(content: bytes) -> list[str]:
    """What a PDF/A-3 with Factur-X must have; agrees with veraPDF on the files it was tried on."""
    with pikepdf.open(io.BytesIO(content)) as pdf:
        root = pdf.Root
        packet = fromstring(root.Metadata.read_bytes())  # noqa: S314 - our own output
        xmp = root.Metadata.read_bytes().decode()
        images = [
            image
            for page in pdf.pages
            for image in page.get_images().values()
            if image.get("/Interpolate", False)
        ]
        files = [str(item.objgen) for item in root.AF] if "/AF" in root else []
        checks = {
            "one rdf:RDF": len(list(packet.iter(RDF))) == 1,
            "PDF/A-3B": 'pdfaid:part="3"' in xmp and 'pdfaid:conformance="B"' in xmp,
            "output intent": root.OutputIntents[0].S == "/GTS_PDFA1",
            "file identifier": len(pdf.trailer.ID) == 2,
            "fx level": "<fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>" in xmp,
            "fx schema": "pdfaExtension:schemas" in xmp,
            "file listed once": len(files) == len(set(files)) == 1,
            "no interpolation": not images,
            "fonts embedded": all(_is_embedded(font) for font in _fonts(pdf)),
        }
    return [name for name, holds in checks.items() if not holds]


def _fonts(pdf: pikepdf.Pdf) -> list[pikepdf.Object]:
    return [font for page in pdf.pages for font in page.Resources.Font.values()]


def _is_embedded(font: pikepdf.Object) -> bool:
    descriptor = font.DescendantFonts[0].FontDescriptor
    return "/FontFile2" in descriptor or "/FontFile3" in descriptor


def with_logo(markup: str) -> TemplateSet:
    return default_template_set().with_overrides({"logo.html.j2": markup})


def picture(mode: str, kind: str = "png") -> str:
    stream = io.BytesIO()
    Image.new(mode, (40, 20)).save(stream, kind)
    return f'<img src="data:image/{kind};base64,{base64.b64encode(stream.getvalue()).decode()}">'


@pytest.mark.parametrize(
    ("document", "templates"),
    [
        pytest.param(small_invoice(), None, id="small"),
        pytest.param(family_invoice(80), None, id="Polish and Greek name, chart, annex"),
        pytest.param(credit_note(), None, id="credit note"),
        pytest.param(small_invoice(), with_logo(picture("RGB")), id="PNG logo"),
        pytest.param(small_invoice(), with_logo(picture("RGBA")), id="PNG logo with alpha"),
        pytest.param(small_invoice(), with_logo(picture("L")), id="grey PNG logo"),
        pytest.param(
            small_invoice(),
            with_logo('<svg viewBox="0 0 9 9" width="9mm"><circle r="4" cx="4" cy="4"/></svg>'),
            id="SVG logo",
        ),
    ],
)
def test_the_container_is_pdf_a_with_one_declared_e_invoice(
    document: InvoiceDocument, templates: TemplateSet | None
) -> None:
    assert container_errors(invoice_pdf(document, templates)) == []


def test_the_container_check_condemns_two_packets() -> None:
    sample = (artefacts() / "samples" / "bad_facturx_two_rdf.pdf").read_bytes()

    assert "one rdf:RDF" in container_errors(sample)


def test_the_embedded_file_is_the_e_invoice() -> None:
    document = family_invoice(0)

    with pikepdf.open(io.BytesIO(invoice_pdf(document))) as pdf:
        embedded = pdf.attachments["factur-x.xml"]
        assert embedded.get_file().read_bytes() == cii_invoice(document)
        assert embedded.relationship == "/Alternative"


def test_what_the_norm_cannot_say_is_printed_without_an_e_invoice() -> None:
    dinars = document_of(to_post({"currency": "KWD", "amount": "1.234"}))

    with pikepdf.open(io.BytesIO(invoice_pdf(dinars))) as pdf:
        assert list(pdf.attachments) == []


def test_a_font_of_the_template_set_itself_is_embedded() -> None:
    # Only the set knows this font as "Brand".
    serif = next(Path("/usr/share/fonts").rglob("DejaVuSerif.ttf")).read_bytes()
    settings = default_template_set().content["template.yaml"]
    own = "font: Brand, Liberation Sans\nfonts: [{family: Brand, file: fonts/brand.ttf}]\n"
    templates = default_template_set().with_overrides(
        {
            "template.yaml": settings + own,
            "fonts/brand.ttf": f"data:font/ttf;base64,{base64.b64encode(serif).decode()}",
        }
    )

    content = invoice_pdf(small_invoice(), templates)

    assert container_errors(content) == []
    with pikepdf.open(io.BytesIO(content)) as pdf:
        assert {str(font.BaseFont).partition("+")[2] for font in _fonts(pdf)} == {
            "Brand",
            "Brand-Bold",
        }


def test_a_picture_in_printing_inks_is_refused() -> None:
    with pytest.raises(PictureRefused, match="CMYK"):
        invoice_pdf(small_invoice(), with_logo(picture("CMYK", "jpeg")))


def test_a_tenants_style_sheet_cannot_bring_interpolation_back() -> None:
    css = default_template_set().content["invoice.css"] + "img { image-rendering: smooth }"
    templates = with_logo(picture("RGB")).with_overrides({"invoice.css": css})

    assert container_errors(invoice_pdf(small_invoice(), templates)) == []


def test_a_character_without_a_glyph_is_refused_by_name() -> None:
    document = small_invoice()
    rare = replace(document, buyer=replace(document.buyer, name="\U0001319e Ltd"))

    with pytest.raises(GlyphMissing, match=re.escape("U+1319E")):
        invoice_pdf(rare)
