"""The elements of a document: by the parser in C where it reads what a browser would read."""

import re
import xml.etree.ElementTree as ET
from html import unescape
from itertools import groupby
from typing import Any

import cssselect2
import weasyprint

_DOCTYPE = "<!doctype html>"
_VOID = re.compile(r"<(br|col|hr|img|meta|wbr)\b([^<>]*?)\s*/?>")
_NAMED = re.compile(r"&(?!amp;|lt;|gt;|quot;|apos;|#)[A-Za-z0-9]+;")
# What browsers read by other rules than XML: raw text, empty elements written short, comments.
_OTHERWISE = re.compile(
    r"<!--|<!\[|<\?|<pre>\n|<(script|style|textarea|template|noscript|math|select)\b"
    r"|<(a|b|body|div|em|footer|h[1-6]|i|li|ol|p|pre|section|span|strong|table|t[bdhr]\w*|ul)"
    r"\b[^<>]*/>",
    re.IGNORECASE,
)
_IN_TABLE = {"caption", "colgroup", "thead", "tbody", "tfoot", "tr"}
_CHILDREN = {
    "html": {"head", "body"},
    "head": {"meta", "title"},
    "table": _IN_TABLE,
    "thead": {"tr"},
    "tbody": {"tr"},
    "tfoot": {"tr"},
    "tr": {"th", "td"},
    "colgroup": {"col"},
}
_PHRASES = {"b", "br", "em", "i", "img", "small", "span", "strong", "sub", "sup", "u", "wbr"}
_ONLY_PHRASES = {"p", "h1", "h2", "h3", "h4", "h5", "h6", *_PHRASES}


# weasyprint has no types, so its classes are Any to mypy.
class Source(weasyprint.HTML):  # type: ignore[misc]
    """A document to lay out, read from a string."""

    def __init__(self, html: str, url_fetcher: weasyprint.urls.URLFetcher) -> None:
        root = parsed_strictly(html)
        if root is None:
            super().__init__(string=html, url_fetcher=url_fetcher)
            return
        self.base_url = None
        self.url_fetcher = url_fetcher
        self.media_type = "print"
        self.wrapper_element = cssselect2.ElementWrapper.from_html_root(root)
        self.etree_element = root


def parsed_strictly(html: str) -> Any:  # noqa: ANN401 - an element, as the other parser gives
    """The root element, or nothing where a browser might read something else."""
    if not html.startswith(_DOCTYPE) or _OTHERWISE.search(html):
        return None
    plain = _NAMED.sub(lambda name: unescape(name[0]), html.removeprefix(_DOCTYPE))
    try:
        root = ET.fromstring(_VOID.sub(r"<\1\2/>", plain))  # noqa: S314 - no entities are declared
    except ET.ParseError:
        return None
    if root.tag != "html" or not all(_reads_alike(element) for element in root.iter()):
        return None
    for table in root.iter("table"):
        _put_rows_into_bodies(table)
    return root


def _reads_alike(element: ET.Element) -> bool:
    """Whether no parser would move what stands in this element elsewhere."""
    tags = {child.tag for child in element}
    allowed = _CHILDREN.get(element.tag)
    if allowed is not None:
        texts = [element.text, *(child.tail for child in element)]
        return tags <= allowed and not any(text and text.strip() for text in texts)
    if element.tag in _ONLY_PHRASES:
        return tags <= _PHRASES
    return element.tag == element.tag.lower() and element.tag not in {"svg", "a", "form"}


def _put_rows_into_bodies(table: ET.Element) -> None:
    """Rows that stand in no group get one, as in a browser."""
    if table.find("tr") is None:
        return
    children = list(table)
    table[:] = []
    for are_rows, run in groupby(children, key=lambda child: child.tag == "tr"):
        (ET.SubElement(table, "tbody") if are_rows else table).extend(run)
