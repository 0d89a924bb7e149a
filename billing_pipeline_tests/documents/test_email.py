import json
from dataclasses import replace

import pytest
from jinja2 import TemplateError

from billing_pipeline.documents.email import invoice_email
from billing_pipeline.documents.json_document import invoice_json
from billing_pipeline.documents.labels import labels, spoken_languages
from billing_pipeline.documents.template_sets import default_template_set
from billing_pipeline_tests.documents.builders import credit_note, family_invoice, small_invoice


def test_html_and_text_say_the_same() -> None:
    email = invoice_email(small_invoice(language="en_GB"), "usage.csv")

    assert email.subject == "Nordlicht: Invoice INV-2026-000001"
    assert email.recipient == "buchhaltung@beispiel.example"
    for text in ("INV-2026-000001", "€29.75", "15 Mar 2026", "usage.csv", "Nordlicht Netze GmbH"):
        assert text in email.html
        assert text in email.text


def test_a_credit_note_asks_for_no_payment() -> None:
    email = invoice_email(credit_note())

    assert "überweisen" not in email.text
    assert "verrechnen" in email.text


def test_a_name_cannot_add_a_header_or_markup() -> None:
    email = invoice_email(replace(small_invoice(), brand="Evil\r\nBcc: all@example.com <b>"))

    assert "\n" not in email.subject
    assert "<b>" not in email.html.replace("</b>", "")


def test_an_email_template_runs_in_the_sandbox() -> None:
    templates = default_template_set().with_overrides({"email.html.j2": "{{ invoice.__class__ }}"})

    with pytest.raises(TemplateError):
        invoice_email(small_invoice(), templates=templates)


def test_every_language_has_every_word_with_its_blanks() -> None:
    english = labels("en")
    for language in spoken_languages():
        words = labels(language)
        assert words.keys() == english.keys()
        for key, word in words.items():
            assert word.count("{") == english[key].count("{"), (language, key)


def test_json_carries_the_figures_of_the_model_exactly() -> None:
    document = family_invoice(5)

    content = json.loads(invoice_json(document))

    assert content["total_minor"] == document.total_minor
    assert content["issue_date"] == "2026-03-01"
    lines = [line for section in content["sections"] for line in section["lines"]]
    assert [line["net_minor"] for line in lines] == [line.net_minor for line in document.lines]
    assert [line["quantity"] for line in lines][2] == "5821.5"
    assert content["buyer"]["name"] == "Żółć & Παπαδόπουλος Holding AG"


def test_json_holds_no_cost() -> None:
    assert b"cost" not in invoice_json(family_invoice(5))
