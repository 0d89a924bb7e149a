"""Monospaced lines drawn straight into pages that WeasyPrint laid out.

Layout of running text costs a millisecond per line; here a page of lines is one translation of
characters to glyphs. WeasyPrint embeds the font and counts the page.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from billing_pipeline.documents.drawn_font import families_of, glyphs_of, regular_font
from billing_pipeline.documents.drawn_page import PX_PER_PT, Place, colour_shares

FONT_SIZE_PT = 7.1
LINE_PT = 9.6
_ASCENT = 0.83


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


@dataclass(frozen=True)
class DrawnStyle:
    """Families to look for, in order, and the accent as `#rrggbb`."""

    families: tuple[str, ...]
    accent: str

    def colour(self, tone: Tone) -> tuple[float, ...]:
        """A tone as shares of red, green and blue."""
        return colour_shares(self.accent if tone is Tone.ACCENT else tone.value)


def drawn_style(mono_font: str, accent: str) -> DrawnStyle:
    """The style from a CSS font list and a `#rrggbb` colour."""
    return DrawnStyle(families_of(mono_font), accent)


@dataclass(frozen=True, eq=False)
class DrawnLines:
    """A page of text in its style: draws itself below the top of its anchor."""

    text: TextPage
    style: DrawnStyle

    @property
    def anchor(self) -> str:
        """The id of the element it is drawn into."""
        return self.text.anchor

    def paint(self, stream: Any, place: Place, fonts: Mapping[str, Any]) -> None:  # noqa: ANN401 - no types there
        """Paint the lines, one under the other."""
        font = regular_font(fonts, self.style.families)
        glyphs = glyphs_of(font, "".join(self.text.lines))
        codes = {point: f"{glyph.number:04x}" for point, glyph in glyphs.items()}
        size = FONT_SIZE_PT * PX_PER_PT
        stream.begin_text()
        stream.set_font_size(font.hash, size)
        stream.set_text_matrix(1, 0, 0, -1, place.left, place.top + size * _ASCENT)
        drawn_in = None
        stream.stream.append(f"{LINE_PT * PX_PER_PT:.4f} TL")
        for number, line in enumerate(self.text.lines):
            tone = self.text.tones.get(number, Tone.INK)
            if tone is not drawn_in:
                stream.set_color_rgb(*self.style.colour(tone))
                drawn_in = tone
            stream.stream.append(f"<{line.rstrip().translate(codes)}> Tj T*")
        stream.end_text()
