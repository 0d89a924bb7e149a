"""XML written in order: the syntaxes of EN 16931 are sequences, so order is part of the data."""

from xml.etree.ElementTree import Element, SubElement, indent, tostring

_DECLARATION = b"<?xml version='1.0' encoding='UTF-8'?>\n"


def document_element(tag: str, namespaces: dict[str, str]) -> Element:
    """A root element with its prefixes; tags below are written with these prefixes."""
    names = {("xmlns:" + prefix if prefix else "xmlns"): uri for prefix, uri in namespaces.items()}
    return Element(tag, names)


def add(parent: Element, path: str, text: str | None = None, **attributes: str) -> Element:
    """Add an element, or a chain of them (`a/b/c`); the last one holds text and attributes."""
    for tag in path.split("/"):
        parent = SubElement(parent, tag)
    parent.text = text
    parent.attrib.update(attributes)
    return parent


def add_known(parent: Element, path: str, text: str | None, **attributes: str) -> None:
    """Add an element only if there is something to say; empty elements are invalid."""
    if text:
        add(parent, path, text, **attributes)


def serialise(root: Element) -> bytes:
    """The document as UTF-8, indented, the same bytes for the same content."""
    indent(root)
    body: bytes = tostring(root, encoding="utf-8", xml_declaration=False)
    return _DECLARATION + body + b"\n"
