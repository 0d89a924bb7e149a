"""Page x of y, drawn once all pages are known: also those that nobody laid out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import weasyprint

from billing_pipeline.documents.drawn_font import families_of, glyphs_of, regular_font
from billing_pipeline.documents.drawn_page import DrawnPage, Place, colour_shares

PLACES = ("page-number", "usage-page-number")
"""Ids of the elements that hold the number; their height is the line height."""

_QUIET = "#6a7480"
_LINE_HEIGHT, _BASELINE = 1.5, 1.1


@dataclass(frozen=True)
class PageNumber:
    """Words at the right end of their place."""

    anchor: str
    words: str
    families: tuple[str, ...]

    def paint(self, stream: Any, place: Place, fonts: Mapping[str, Any]) -> None:  # noqa: ANN401 - no types there
        """Paint the words."""
        font = regular_font(fonts, self.families)
        glyphs = glyphs_of(font, self.words)
        size = (place.bottom - place.top) / _LINE_HEIGHT
        width = sum(glyphs[ord(sign)].width for sign in self.words) * size / 1000
        codes = {point: f"{glyph.number:04x}" for point, glyph in glyphs.items()}
        stream.begin_text()
        stream.set_color_rgb(*colour_shares(_QUIET))
        stream.set_font_size(font.hash, size)
        stream.set_text_matrix(1, 0, 0, -1, place.right - width, place.top + size * _BASELINE)
        stream.stream.append(f"<{self.words.translate(codes)}> Tj")
        stream.end_text()


def number_pages(rendered: weasyprint.Document, pattern: str, font_list: str) -> None:
    """Write `pattern`, such as "Page {page} of {pages}", onto every page with a place for it."""
    families = families_of(font_list)
    total = len(rendered.pages)
    for position, page in enumerate(rendered.pages):
        words = pattern.format(page=position + 1, pages=total)
        numbers = [PageNumber(place, words, families) for place in PLACES if place in page.anchors]
        if numbers:
            rendered.pages[position] = DrawnPage(page, numbers, rendered.fonts)
