"""Short cuts through the style look-ups of WeasyPrint 70, which is pinned exactly.

Laying out a page asks some ten thousand times for a property that no rule of the style sheet sets,
and once more resolves a length that is in pixels already. Both answers are known at once for
most properties; everything else goes the library's own way. The same bytes come out.
"""

from typing import Any

from weasyprint import css
from weasyprint.layout import percent

_BY_OTHER_RULES = {"float", "display", "position", "page"}
_SIDES = frozenset(css.PHYSICAL_FUNCTIONS)
_FLOW_SIDES = frozenset(
    side(block="ttb", inline=inline)
    for side in css.PHYSICAL_FUNCTIONS.values()
    for inline in ("ltr", "rtl")
)
"""Names a style sheet may use for a side instead of its name, such as `margin_inline_start`."""


def _is_plain(name: str) -> bool:
    return name not in _BY_OTHER_RULES and not name.startswith("text_decoration_")


_INITIAL = {
    name: value
    for name, value in css.INITIAL_VALUES.items()
    if _is_plain(name) and name not in css.INHERITED and name not in css.INITIAL_NOT_COMPUTED
}
_INITIAL_BUT_SIDES = {name: value for name, value in _INITIAL.items() if name not in _SIDES}
_INHERITED = frozenset(
    name
    for name in css.INITIAL_VALUES
    if _is_plain(name) and name in css.INHERITED and name not in _SIDES
)

of_element_by_the_library = css.ComputedStyle.__missing__
of_anonymous_by_the_library = css.AnonymousStyle.__missing__
resolved_by_the_library = percent.resolve_one_percentage


def _of_element(style: Any, name: str) -> Any:  # noqa: ANN401 - no types there
    """A property of an element: what no rule sets is initial, or the parent's."""
    if name not in style.cascaded:
        if name in _INITIAL and (
            name in _INITIAL_BUT_SIDES or _FLOW_SIDES.isdisjoint(style.cascaded)
        ):
            value = style[name] = _INITIAL[name]
            return value
        if name in _INHERITED and style.parent_style is not None:
            value = style[name] = style.parent_style[name]
            return value
    return of_element_by_the_library(style, name)


def _of_anonymous(style: Any, name: str) -> Any:  # noqa: ANN401 - no types there
    """A property of a box that no element made."""
    if name in _INHERITED:
        value = style[name] = style.parent_style[name]
        return value
    return of_anonymous_by_the_library(style, name)


def _resolve(box: Any, name: str, refer_to: float) -> None:  # noqa: ANN401 - no types there
    """Set a used length from a computed one; `refer_to` is the length of 100 %."""
    length = box.style[name]
    unit = None if length is None or length == "auto" else getattr(length, "unit", None)
    if unit == "px":
        setattr(box, name, length.value)
    elif length == "auto" and name in {"min_width", "min_height"}:
        setattr(box, name, 0)
    else:
        setattr(box, name, percent.percentage(length, box.style, refer_to))


def use_short_cuts() -> None:
    """Take the short cuts in this process."""
    css.ComputedStyle.__missing__ = _of_element
    css.AnonymousStyle.__missing__ = _of_anonymous
    percent.resolve_one_percentage = _resolve
