"""Short cuts of rendering change nothing that is seen."""

import pytest
from weasyprint import css
from weasyprint.layout import percent

from billing_pipeline.documents import quick_styles
from billing_pipeline.documents.render import invoice_pdf
from billing_pipeline_tests.documents.builders import family_invoice


@pytest.mark.pdf
def test_short_cuts_give_the_bytes_of_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    document = family_invoice(20)
    quick = invoice_pdf(document)

    monkeypatch.setattr(css.ComputedStyle, "__missing__", quick_styles.of_element_by_the_library)
    monkeypatch.setattr(css.AnonymousStyle, "__missing__", quick_styles.of_anonymous_by_the_library)
    monkeypatch.setattr(percent, "resolve_one_percentage", quick_styles.resolved_by_the_library)

    assert invoice_pdf(document) == quick
