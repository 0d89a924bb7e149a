"""Characters to glyphs of a font that a document embeds: what drawn text is made of."""

import io
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from fontTools.ttLib import TTFont

_UNKNOWN = "?"
_REGULAR = 400
_MOST_FONTS = 16


class FontMissing(Exception):
    """None of the named fonts is installed."""


class Glyph(NamedTuple):
    """A glyph's number, and its width in thousandths of the font size."""

    number: int
    width: int


def regular_font(fonts: Mapping[str, Any], families: Sequence[str]) -> Any:  # noqa: ANN401 - no types there
    """The regular font of the first family that the document uses."""
    for family in families:
        for font in fonts.values():
            if font.family == family and font.weight == _REGULAR and not font.style:
                return font
    raise FontMissing(f"none of {', '.join(families)} is installed or used on the page")


def families_of(font_list: str) -> tuple[str, ...]:
    """The families of a CSS font list."""
    return tuple(name.strip().strip("'\"") for name in font_list.split(","))


def glyphs_of(font: Any, text: str) -> dict[int, Glyph]:  # noqa: ANN401 - no types there
    """Glyphs by code point; tells the font what is used of it.

    A character that the font lacks is printed as a question mark, so the file stays PDF/A.
    """
    known = _glyphs(font.file_content, font.index)
    used = {}
    for character in sorted({_UNKNOWN, *text}):
        shown = character if ord(character) in known else _UNKNOWN
        glyph = used[ord(character)] = known[ord(shown)]
        font.to_unicode.setdefault(glyph.number, shown)
        font.widths.setdefault(glyph.number, glyph.width)
    return used


@lru_cache(maxsize=_MOST_FONTS)
def _glyphs(content: bytes, index: int) -> dict[int, Glyph]:
    font = TTFont(io.BytesIO(content), fontNumber=index, lazy=True)
    widths, em = font["hmtx"], font["head"].unitsPerEm
    return {
        point: Glyph(font.getGlyphID(name), round(widths[name][0] * 1000 / em))
        for point, name in font.getBestCmap().items()
    }
