"""What is drawn onto pages: pictures, page numbers, pages nobody laid out."""

import io
import zlib

import pdfplumber
import pydyf
import pytest

from billing_pipeline.documents.compression import compress_once
from billing_pipeline.documents.payment_code import payment_code
from billing_pipeline.documents.render import invoice_html, invoice_pdf
from billing_pipeline_tests.documents.builders import family_invoice, small_invoice


@pytest.mark.pdf
def test_every_page_says_which_of_how_many_it_is() -> None:
    with pdfplumber.open(io.BytesIO(invoice_pdf(family_invoice(500)))) as pdf:
        texts = [page.extract_text() for page in pdf.pages]

    assert len(texts) > 5
    for number, text in enumerate(texts, start=1):
        assert f"Seite {number} von {len(texts)}" in text


@pytest.mark.pdf
def test_usage_goes_on_over_pages_that_nobody_laid_out() -> None:
    document = family_invoice(500)

    with pdfplumber.open(io.BytesIO(invoice_pdf(document))) as pdf:
        lines = "\n".join(page.extract_text() for page in pdf.pages).splitlines()

    calls = [line for line in lines if "4940555010" in line]
    assert len(calls) == 500
    assert calls == sorted(calls, key=lambda line: (line[6:10], line[3:5], line[:2], line[11:19]))


@pytest.mark.pdf
def test_the_payment_code_on_paper_is_the_one_on_the_screen() -> None:
    document = small_invoice()
    code = payment_code(document)

    with pdfplumber.open(io.BytesIO(invoice_pdf(document))) as pdf:
        dark = [box for box in pdf.pages[0].rects if box["non_stroking_color"] == (0, 0, 0)]

    assert code is not None
    assert code.path in invoice_html(document)
    module = 25 / 25.4 * 72 / code.size
    assert len(dark) == len(code.dark)
    left = min(box["x0"] for box in dark)
    top = min(box["top"] for box in dark)
    drawn = {
        (
            round((box["x0"] - left) / module),
            round((box["top"] - top) / module),
            round(box["width"] / module),
        )
        for box in dark
    }
    assert drawn == {(x, y, width) for x, y, width, _ in code.dark}


def test_a_stream_is_compressed_once_and_read_back_whole() -> None:
    pdf = pydyf.PDF()
    content = b"0 0 10 10 re\nf\n" * 300
    pdf.add_object(pydyf.Stream([content], compress=True))

    compress_once(pdf)

    (stream,) = (item for item in pdf.objects if isinstance(item, pydyf.Stream))
    assert not stream.compress
    assert zlib.decompress(stream.stream[0]) == content
