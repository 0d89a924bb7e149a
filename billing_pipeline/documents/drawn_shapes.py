"""Rectangles drawn straight into the page: QR codes and bars.

As SVG they cost WeasyPrint a third of a small document; here each is one line of the page.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from billing_pipeline.documents.drawn_page import Place, colour_shares

Rectangle = tuple[int, int, int, int]
"""Left, top, width and height in the units of the box they stand in."""


@dataclass(frozen=True)
class Shapes:
    """Rectangles of one colour in a box of `width` x `height` units that fills its place."""

    anchor: str
    width: int
    height: int
    rectangles: tuple[Rectangle, ...]
    colour: str

    def paint(self, stream: Any, place: Place, fonts: Mapping[str, Any]) -> None:  # noqa: ANN401, ARG002 - the protocol of drawings
        """Fill the rectangles, stretched to the place."""
        across = (place.right - place.left) / self.width
        down = (place.bottom - place.top) / self.height
        stream.transform(a=across, d=down, e=place.left, f=place.top)
        stream.set_color_rgb(*colour_shares(self.colour))
        boxes = (f"{x} {y} {width} {height} re" for x, y, width, height in self.rectangles)
        stream.stream.append("\n".join(boxes))
        stream.fill()
