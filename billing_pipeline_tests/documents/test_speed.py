"""Short cuts of rendering change nothing that is seen."""

import xml.etree.ElementTree as ET

import pytest
import tinyhtml5

from billing_pipeline.documents import html_tree, quick_styles
from billing_pipeline.documents.fetching import NoFetching
from billing_pipeline.documents.html_tree import Source
from billing_pipeline.documents.render import invoice_html, invoice_pdf
from billing_pipeline_tests.documents.builders import family_invoice

BODY = "<!doctype html>\n<html><head><title>x</title></head><body>{}</body></html>"


def by_the_library(html: str) -> bytes:
    return as_bytes(tinyhtml5.parse(html, namespace_html_elements=False))


def as_bytes(root: ET.Element) -> bytes:
    for element in root.iter():
        if element.tag in {"html", "head", "table", "thead", "tbody", "tr", "colgroup"}:
            element.text = (element.text or "").strip()
            for child in element:
                child.tail = (child.tail or "").strip()
    return ET.tostring(root)


@pytest.mark.parametrize(
    "inner",
    [
        pytest.param("<p>Müller &amp; Söhne<br>a &nbsp; b</p>", id="entities and line breaks"),
        pytest.param("<table><tr><td>1</td></tr><tr><td>2</td></tr></table>", id="rows alone"),
        pytest.param("<p>one<div>two</div>", id="a paragraph that ends by itself"),
        pytest.param("<div/>after", id="an element written short"),
        pytest.param("<pre>\nfirst</pre>", id="a line break that is dropped"),
        pytest.param("<table>stray<tr><td>1</td></tr></table>", id="text between rows"),
        pytest.param("<p>one</p><!-- not seen --><P>two</P>", id="comments and capitals"),
        pytest.param("<style>p > b { color: red }</style><p>one</p>", id="a style of its own"),
    ],
)
def test_a_document_is_read_as_a_browser_reads_it(inner: str) -> None:
    source = Source(BODY.format(inner), NoFetching())

    assert as_bytes(source.etree_element) == by_the_library(BODY.format(inner))


@pytest.mark.pdf
def test_short_cuts_give_the_bytes_of_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    document = family_invoice(20)
    assert html_tree.parsed_strictly(invoice_html(document)) is not None
    quick = invoice_pdf(document)

    monkeypatch.setattr(html_tree, "parsed_strictly", lambda _: None)
    quick_styles.use_no_short_cuts()
    slow = invoice_pdf(document)
    quick_styles.use_short_cuts()

    assert quick == slow
