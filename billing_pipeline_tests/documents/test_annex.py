import io
import re
from dataclasses import replace
from decimal import Decimal

import pdfplumber
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_pipeline.documents.annex import ROWS_PER_PAGE, AnnexGroup, annex_groups, annex_pages
from billing_pipeline.documents.formats import formats
from billing_pipeline.documents.render import invoice_html, invoice_pdf
from billing_pipeline_tests.documents.builders import family_invoice, usage

HEAD = "head"


def group(rows: int, key: str = "S-1") -> AnnexGroup:
    return AnnexGroup("C-1", key, rows, Decimal(rows), tuple(map(str, range(rows))))


def first_line(frame: pl.DataFrame, locale: str = "de_DE", zone: str = "Europe/Berlin") -> str:
    [one] = annex_groups(frame.head(1), zone, formats(locale), 10)
    return re.sub(r"\s+", " ", one.text)


@pytest.mark.parametrize(
    ("locale", "zone", "expected"),
    [
        pytest.param(
            "de_DE",
            "Europe/Berlin",
            "01.02.2026 08:00:00 4940555010 442079460000 United Kingdom 0:00:30 0,0075",
            id="German, one hour ahead",
        ),
        pytest.param(
            "en_US",
            "America/New_York",
            "02/01/2026 02:00:00 4940555010 442079460000 United Kingdom 0:00:30 0.0075",
            id="American, five hours back",
        ),
    ],
)
def test_an_event_is_one_line_in_the_readers_words(locale: str, zone: str, expected: str) -> None:
    assert first_line(usage(1), locale, zone) == expected


def test_events_priced_over_the_period_are_left_to_the_itemisation_file() -> None:
    frame = usage(3).with_columns(
        unit_price=pl.lit(None, pl.Decimal(38, 10)), amount=pl.lit("0").cast(pl.Decimal(38, 10))
    )

    assert annex_groups(frame, "UTC", formats("en_GB"), 10) == ()


@pytest.mark.parametrize(
    ("units", "shown"), [("0.0000000001", "0,0000000001"), ("12", "12"), ("100", "100"),
                         ("1.50", "1,5")]
)  # fmt: skip
def test_units_that_are_not_calls_are_plain_numbers(units: str, shown: str) -> None:
    frame = usage(1).with_columns(
        usage_type=pl.lit("traffic"), billable_units=pl.lit(units).cast(pl.Decimal(38, 10))
    )

    assert f" {shown} " in first_line(frame)


def test_no_more_rows_are_printed_than_the_template_allows() -> None:
    groups = annex_groups(usage(50), "UTC", formats("en_GB"), 20)

    assert sum(one.events for one in groups) == 20


@settings(max_examples=100, deadline=None)
@given(sizes=st.lists(st.integers(1, 300), min_size=1, max_size=8), rows=st.integers(20, 90))
def test_pages_hold_every_line_once_and_no_heading_stands_last(sizes: list[int], rows: int) -> None:
    groups = [group(size, f"S-{number}") for number, size in enumerate(sizes)]

    pages = annex_pages(groups, HEAD, rows)

    printed = [line for page in pages for line in page.lines if line.isdigit()]
    assert printed == [line for one in groups for line in one.lines]
    assert all(len(page.lines) <= rows for page in pages)
    assert all(page.lines[-1].isdigit() for page in pages)
    assert all(page.lines[0] == HEAD for page in pages[1:])


@pytest.mark.pdf
@pytest.mark.parametrize("paper", sorted(ROWS_PER_PAGE))
def test_drawn_lines_stay_inside_the_page_and_above_its_foot(paper: str) -> None:
    document = family_invoice(300)
    branding = document.branding.model_copy(update={"paper": paper})

    content = invoice_pdf(replace(document, branding=branding))

    with pdfplumber.open(io.BytesIO(content)) as pdf:
        annex = [page for page in pdf.pages if "Einheiten" in page.extract_text()[:400]]
        for page in annex[1:-1]:
            foot = page.search(r"Seite \d+ von")[0]["top"]
            rows = page.search(r"\d\d\.02\.2026 \d\d:")
            assert max(row["bottom"] for row in rows) < foot - 5
            assert max(char["x1"] for char in page.chars) < page.width - 50
            # A page that is nearly empty wastes paper: the last row stands close to the foot.
            assert foot - max(row["bottom"] for row in rows) < 60


@pytest.mark.pdf
def test_names_in_other_scripts_are_printed_and_what_no_font_has_is_a_question_mark() -> None:
    document = family_invoice(3)
    names = document.itemisation.with_columns(
        rate_name=pl.Series(["Łódź komórka", "Αθήνα κινητό", "\U0001319e rare"])
    )

    with pdfplumber.open(io.BytesIO(invoice_pdf(replace(document, itemisation=names)))) as pdf:
        text = pdf.pages[-1].extract_text()

    for name in ("Łódź komórka", "Αθήνα κινητό", "? rare"):
        assert name in text


def test_the_screen_shows_the_same_lines_as_text() -> None:
    html = invoice_html(family_invoice(30))

    assert len(re.findall(r"^(?:<pre>)?\d\d\.02\.2026 \d\d:", html, re.MULTILINE)) == 30
