"""Monospaced lines drawn straight into pages that WeasyPrint laid out.

Layout of running text costs a millisecond per line; here a page of lines is one translation of
characters to glyphs. The page tells where (an anchor), WeasyPrint embeds the font and counts the
page. Uses the paint protocol of WeasyPrint 70, which is pinned.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import Any

import weasyprint
from fontTools.ttLib import TTFont

FONT_SIZE_PT = 7.1
LINE_PT = 9.6
_PX_PER_PT = 96 / 72
_ASCENT = 0.83
_UNKNOWN = "?"
_REGULAR = 400


class FontMissing(Exception):
    """None of the named monospaced fonts is installed."""


class Tone(Enum):
    """The colours lines are drawn in."""

    INK = "#20262e"
    QUIET = "#6a7480"
    ACCENT = "the brand's"


@dataclass(frozen=True, eq=False)
class TextPage:
    """Lines to draw below the element with id `anchor`; `tones` of lines that are not in ink."""

    anchor: str
    lines: tuple[str, ...]
    tones: Mapping[int, Tone]


class _DrawnPage:
    """A page of WeasyPrint that paints its lines after itself."""

    def __init__(
        self, page: weasyprint.Page, text: TextPage, fonts: Mapping[str, Any], style: "DrawnStyle"
    ) -> None:
        self._page = page
        self._text = text
        self._fonts = fonts
        self._style = style

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a page has
        return getattr(self._page, name)

    def paint(self, stream: Any, scale: float = 1) -> None:  # noqa: ANN401 - no types there
        """Paint the page, then its lines."""
        self._page.paint(stream, scale)
        font = _monospaced(self._fonts, self._style.families)
        codes = _codes(font, "".join(self._text.lines))
        left, top = self._page.anchors[self._text.anchor][:2]
        size = FONT_SIZE_PT * _PX_PER_PT
        with stream.stacked():
            stream.transform(a=scale, d=scale)
            stream.begin_text()
            stream.set_font_size(font.hash, size)
            stream.set_text_matrix(1, 0, 0, -1, left, top + size * _ASCENT)
            drawn_in = None
            stream.stream.append(f"{LINE_PT * _PX_PER_PT:.4f} TL")
            for number, line in enumerate(self._text.lines):
                tone = self._text.tones.get(number, Tone.INK)
                if tone is not drawn_in:
                    stream.set_color_rgb(*self._style.colour(tone))
                    drawn_in = tone
                stream.stream.append(f"<{line.rstrip().translate(codes)}> Tj T*")
            stream.end_text()


@dataclass(frozen=True)
class DrawnStyle:
    """Families to look for, in order, and the accent as `#rrggbb`."""

    families: tuple[str, ...]
    accent: str

    def colour(self, tone: Tone) -> tuple[float, ...]:
        """A tone as shares of red, green and blue."""
        code = self.accent if tone is Tone.ACCENT else tone.value
        return tuple(round(int(code[start : start + 2], 16) / 255, 4) for start in (1, 3, 5))


def drawn_style(mono_font: str, accent: str) -> DrawnStyle:
    """The style from a CSS font list and a `#rrggbb` colour."""
    return DrawnStyle(tuple(name.strip().strip("'\"") for name in mono_font.split(",")), accent)


def draw_on_pages(
    rendered: weasyprint.Document, texts: Sequence[TextPage], style: DrawnStyle
) -> None:
    """Let the pages that hold the anchors of `texts` paint them.

    Text whose anchor no page has is left out: the template has no place for it.
    """
    by_anchor = {text.anchor: text for text in texts}
    for number, page in enumerate(rendered.pages):
        for anchor in by_anchor.keys() & page.anchors.keys():
            rendered.pages[number] = _DrawnPage(page, by_anchor[anchor], rendered.fonts, style)


def _monospaced(fonts: Mapping[str, Any], families: Sequence[str]) -> Any:  # noqa: ANN401
    """The regular font of the first family that the document uses."""
    for family in families:
        for font in fonts.values():
            if font.family == family and font.weight == _REGULAR:
                return font
    raise FontMissing(f"none of {', '.join(families)} is installed or used on the page")


def _codes(font: Any, text: str) -> dict[int, str]:  # noqa: ANN401 - no types there
    """Glyph numbers in hexadecimal by character; tells the font what is used of it.

    A character that the font lacks is printed as a question mark, so the file stays PDF/A.
    """
    glyphs = _glyph_numbers(font.file_content, font.index)
    width = next(iter(font.widths.values()))
    codes = {}
    for character in sorted({_UNKNOWN, *text}):
        shown = character if ord(character) in glyphs else _UNKNOWN
        glyph = glyphs[ord(shown)]
        font.to_unicode.setdefault(glyph, shown)
        font.widths.setdefault(glyph, width)
        codes[ord(character)] = f"{glyph:04x}"
    return codes


@lru_cache(maxsize=4)
def _glyph_numbers(content: bytes, index: int) -> dict[int, int]:
    font = TTFont(io.BytesIO(content), fontNumber=index, lazy=True)
    return {point: font.getGlyphID(name) for point, name in font.getBestCmap().items()}
