"""Things painted straight into pages that WeasyPrint laid out, after the page itself.

The page tells where (the element whose id is the anchor), so templates keep the say over place and
size. Uses the paint protocol of WeasyPrint 70, which is pinned.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import weasyprint  # a second to import, and needed here for its names only

PX_PER_PT = 96 / 72


@dataclass(frozen=True)
class Place:
    """Where an anchor's element stands on its page, in CSS pixels from the top left."""

    left: float
    top: float
    right: float
    bottom: float


class Drawing(Protocol):
    """Something that paints itself at the place of its anchor."""

    @property
    def anchor(self) -> str:
        """The id of the element it is drawn into."""

    def paint(self, stream: Any, place: Place, fonts: Mapping[str, Any]) -> None:  # noqa: ANN401
        """Paint in CSS pixels; `stream` is WeasyPrint's, `fonts` are those of the document."""


class DrawnPage:
    """A page of WeasyPrint that paints its drawings after itself."""

    def __init__(
        self, page: "weasyprint.Page", drawings: Sequence[Drawing], fonts: Mapping[str, Any]
    ) -> None:
        self.page = page
        self.drawings = drawings
        self._fonts = fonts

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a page has
        return getattr(self.page, name)

    def paint(self, stream: Any, scale: float = 1) -> None:  # noqa: ANN401 - no types there
        """Paint the page, then what is drawn onto it."""
        self.page.paint(stream, scale)
        for drawing in self.drawings:
            place = Place(*self.page.anchors[drawing.anchor])
            with stream.stacked():
                stream.transform(a=scale, d=scale)
                drawing.paint(stream, place, self._fonts)


def draw_on_pages(rendered: "weasyprint.Document", drawings: Sequence[Drawing]) -> None:
    """Let the pages that hold the anchors of `drawings` paint them.

    A drawing whose anchor no page has is left out: the template has no place for it.
    """
    by_anchor = {drawing.anchor: drawing for drawing in drawings}
    for number, page in enumerate(rendered.pages):
        here = [by_anchor[anchor] for anchor in by_anchor if anchor in page.anchors]
        if here:
            rendered.pages[number] = DrawnPage(page, here, rendered.fonts)


def repeat_page(rendered: "weasyprint.Document", anchor: str, drawings: Sequence[Drawing]) -> None:
    """Add the page that holds `anchor` once more for each drawing, which is painted there.

    Laying out a page costs many times what painting it costs. Nothing is added where no page
    has the anchor: the template has no place for it.
    """
    for number, page in enumerate(rendered.pages):
        if anchor in page.anchors:
            plain = page.page if isinstance(page, DrawnPage) else page
            rendered.pages[number + 1 : number + 1] = [
                DrawnPage(plain, [_At(anchor, drawing)], rendered.fonts) for drawing in drawings
            ]
            return


@dataclass(frozen=True)
class _At:
    """A drawing at the anchor of another."""

    anchor: str
    drawing: Drawing

    def paint(self, stream: Any, place: Place, fonts: Mapping[str, Any]) -> None:  # noqa: ANN401 - no types there
        """Paint the other drawing."""
        self.drawing.paint(stream, place, fonts)


def colour_shares(code: str) -> tuple[float, ...]:
    """A colour `#rrggbb` as shares of red, green and blue."""
    return tuple(round(int(code[start : start + 2], 16) / 255, 4) for start in (1, 3, 5))
