import hashlib
import io
import re
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal

import pdfplumber
import pytest
from jinja2 import TemplateError
from weasyprint import HTML

from billing_pipeline.customers.tenant import Branding, BrandWords
from billing_pipeline.documents.fetching import FetchRefused, NoFetching
from billing_pipeline.documents.render import invoice_html, invoice_pdf
from billing_pipeline.documents.sandbox import ResourceRefused
from billing_pipeline.documents.template_sets import TemplateSet, default_template_set
from billing_pipeline.invoicing.document import InvoiceDocument
from billing_pipeline_tests.documents.builders import (
    credit_note,
    document_of,
    family_invoice,
    small_invoice,
    usage,
)
from billing_pipeline_tests.invoicing.builders import TENANT, accounts, to_post


def pdf_text(content: bytes) -> str:
    with pdfplumber.open(io.BytesIO(content)) as pdf:
        return "\n".join(page.extract_text() for page in pdf.pages)


def html_text(html: str) -> str:
    """Text of the HTML with white space as it is laid out."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def with_section(text: str) -> TemplateSet:
    """The default set whose message section is this text."""
    return default_template_set().with_overrides({"sections/message.html.j2": text})


@pytest.mark.pdf
@pytest.mark.parametrize(
    ("document", "figures"),
    [
        pytest.param(small_invoice(), ["20,00", "5,00", "25,00", "4,75", "29,75 €"], id="small"),
        pytest.param(
            # 149.00 + 49.90 + 87.45 - 4.99 + 9.98 - 5.00 = 286.34 at 19 %; 24.50 at 7 %
            family_invoice(5),
            ["149,00", "87,45", "-4,99", "-5,00", "286,34", "54,40", "1,72", "366,96 €"],
            id="sub-accounts",
        ),
        pytest.param(credit_note(), ["20,00", "3,80", "23,80 €"], id="credit note"),
    ],
)
def test_html_and_pdf_carry_the_figures_of_the_model(
    document: InvoiceDocument, figures: list[str]
) -> None:
    printed = pdf_text(invoice_pdf(document)).replace("\xa0", " ")
    shown = html_text(invoice_html(document))

    assert [figure for figure in figures if figure not in printed] == []
    assert [figure for figure in figures if figure not in shown] == []


@pytest.mark.pdf
def test_equal_documents_give_equal_bytes_in_another_process() -> None:
    # The other process renders another document first: what is reused must not show.
    program = (
        "import hashlib\n"
        "from billing_pipeline.documents.render import invoice_pdf\n"
        "from billing_pipeline_tests.documents.builders import credit_note, family_invoice\n"
        "invoice_pdf(credit_note())\n"
        "print(hashlib.sha256(invoice_pdf(family_invoice(20))).hexdigest())\n"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program], check=True, capture_output=True, text=True
        ).stdout
        for _ in range(2)
    ]
    here = hashlib.sha256(invoice_pdf(family_invoice(20))).hexdigest()
    assert [run.strip() for run in runs] == [here, here]


@pytest.mark.pdf
@pytest.mark.parametrize(("paper", "size"), [("A4", (595, 842)), ("Letter", (612, 792))])
def test_pages_have_the_tenants_paper_and_are_counted(paper: str, size: tuple[int, int]) -> None:
    document = family_invoice(300)
    branding = document.branding.model_copy(update={"paper": paper})

    with pdfplumber.open(io.BytesIO(invoice_pdf(replace(document, branding=branding)))) as pdf:
        pages = [page.extract_text() for page in pdf.pages]
        sizes = {(round(page.width), round(page.height)) for page in pdf.pages}

    assert sizes == {size}
    assert len(pages) > 3
    for number, text in enumerate(pages, start=1):
        assert f"Seite {number} von {len(pages)}" in text
        assert "Rechnung" in text
        assert "Nordlicht" in text


@pytest.mark.pdf
def test_every_annex_page_repeats_its_head_and_every_event_is_printed_once() -> None:
    with pdfplumber.open(io.BytesIO(invoice_pdf(family_invoice(300)))) as pdf:
        annex = [
            page.extract_text() for page in pdf.pages if "Einheiten Preis" in page.extract_text()
        ]

    assert len(annex) >= 4
    events = re.findall(r"^\d\d\.\d\d\.2026 \d\d:\d\d:\d\d", "\n".join(annex), re.MULTILINE)
    assert len(events) == 300


@pytest.mark.parametrize(
    ("locale", "expected"),
    [
        pytest.param("de_DE", ["Rechnung", "01.03.2026", "29,75 €", "15.03.2026"], id="German"),
        pytest.param("en_US", ["Invoice", "Mar 1, 2026", "€29.75", "Feb 1"], id="American"),
        pytest.param("en_GB", ["Invoice", "1 Mar 2026", "€29.75"], id="British"),
        pytest.param("fr_FR", ["Facture", "1 mars 2026", "29,75 €"], id="French"),
        pytest.param("de_CH", ["Rechnung", "01.03.2026", "29.75"], id="Swiss"),
        pytest.param("pl_PL", ["Invoice", "1 mar 2026", "29,75 €"], id="words fall back"),
    ],
)
def test_a_document_speaks_its_customers_language(locale: str, expected: list[str]) -> None:
    shown = html_text(invoice_html(replace(small_invoice(), locale=locale)))

    assert [text for text in expected if text not in shown] == []


def test_reverse_charge_words_and_both_vat_numbers_are_printed() -> None:
    shown = html_text(invoice_html(small_invoice(country="AT", vat_number="ATU12345675")))

    for text in ("Steuerschuldnerschaft des Leistungsempfängers", "ATU12345675", "DE123456788"):
        assert text in shown


def test_a_credit_note_names_the_invoice_and_asks_for_no_payment() -> None:
    shown = html_text(invoice_html(credit_note()))

    assert "Rechnungskorrektur" in shown
    assert "Korrektur zu INV-2026-000007" in shown
    assert "IBAN" not in shown


@pytest.mark.parametrize(
    ("method", "language", "expected"),
    [
        ("direct_debit", "en_GB", "will be collected from your bank account"),
        ("direct_debit", "de_DE", "von Ihrem Konto eingezogen"),
        ("card", "fr_FR", "débités de votre carte"),
        (None, "en_GB", "Please transfer"),
    ],
)
def test_a_document_says_how_its_account_pays(
    method: str | None, language: str, expected: str
) -> None:
    document = small_invoice(payment_method=method, language=language)
    text = html_text(invoice_html(document))

    assert expected in text
    assert ("IBAN" in text) == (method is None)
    assert document.payment.is_known == (method is None)


def test_a_document_names_the_mandate_and_hides_most_of_the_account() -> None:
    document = small_invoice(
        payment_method="direct_debit",
        mandate_reference="M-17",
        debited_iban="DE02120300000000202051",
        language="de_DE",
    )
    text = html_text(invoice_html(document))

    assert "Mandatsreferenz M-17" in text
    assert "Gläubiger-Identifikationsnummer DE98ZZZ09999999999" in text
    assert "Belastetes Konto DE** … 2051" in text
    assert "DE02120300000000202051" not in text


def test_a_brand_speaks_the_customers_language_where_it_has_the_words() -> None:
    brand = TENANT.model_copy(
        update={
            "branding": Branding(message="Danke", tagline="Nah"),
            "branding_in_locales": {
                "en": BrandWords(message="Thank you"),
                "en_GB": BrandWords(tagline="Close by"),
            },
        }
    )

    def said(language: str) -> str:
        document = document_of(to_post({}), accounts({"language": language}), tenant=brand)
        return html_text(invoice_html(document))

    assert "Thank you" in said("en_IE")
    assert "Danke" not in said("en_IE")
    assert "Nah" in said("en_IE")
    assert "Danke" in said("de_AT")
    assert "Thank you" in said("en_GB")
    assert "Close by" in said("en_GB")


def test_what_a_customer_wrote_is_escaped() -> None:
    html = invoice_html(small_invoice(name="<script>alert(1)</script> & Co"))

    assert "<script>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; Co" in html


@pytest.mark.parametrize(
    "attack",
    [
        pytest.param("{{ invoice.__class__.__mro__ }}", id="classes"),
        pytest.param("{{ ''.__class__.__base__.__subclasses__() }}", id="subclasses"),
        pytest.param("{{ invoice.itemisation.write_csv('/tmp/x') }}", id="frame writes a file"),
        pytest.param("{{ formats.price.__globals__ }}", id="globals"),
        pytest.param("{{ invoice.branding.model_copy.__func__ }}", id="pydantic"),
        pytest.param("{{ range(10) }}", id="no builtins"),
        pytest.param("{{ '{0.__class__}'.format(invoice) }}", id="format string"),
        pytest.param("{{ words.update({'total': 'x'}) }}", id="changes the words"),
        pytest.param("{{ no_such_thing }}", id="undefined"),
        pytest.param("{% include '/etc/passwd' %}", id="another file"),
    ],
)
def test_a_template_cannot_leave_its_sandbox(attack: str) -> None:
    with pytest.raises(TemplateError):
        invoice_html(small_invoice(), with_section(attack))


@pytest.mark.parametrize(
    "address",
    ["file:///etc/passwd", "http://localhost/x.png", "https://example.com/a.png", "ftp://h/x",
     "data:text/css,body{}"],
)  # fmt: skip
def test_a_document_fetches_nothing(address: str) -> None:
    document = HTML(string=f'<img src="{address}">', url_fetcher=NoFetching())

    with pytest.raises(FetchRefused, match="may not fetch"):
        document.render()


@pytest.mark.pdf
def test_a_template_that_fetches_is_refused() -> None:
    with pytest.raises(ResourceRefused):
        invoice_pdf(small_invoice(), with_section('<img src="http://localhost:9/logo.png">'))


def test_sections_are_reordered_and_left_out_by_settings() -> None:
    settings = "sections: [totals, letterhead]\nusage_chart: none\n"
    templates = default_template_set().with_overrides({"template.yaml": settings})

    shown = html_text(invoice_html(small_invoice(), templates))

    assert shown.index("Gesamtbetrag") < shown.index("Beispiel AG")
    assert "IBAN" not in shown


def test_the_cost_of_a_call_is_never_shown() -> None:
    document = family_invoice(10)

    assert document.itemisation["cost_amount"].null_count() == 0
    assert "0.0042" not in invoice_html(document)
    assert "0,0042" not in invoice_html(document)


def test_usage_totals_add_up_to_the_usage() -> None:
    document = family_invoice(200)

    assert sum(total.events for total in document.usage_totals) == 200
    assert sum(day.events for day in document.daily_usage) == 200
    assert sum(total.amount for total in document.usage_totals) == Decimal(
        usage(200)["amount"].sum()
    )
