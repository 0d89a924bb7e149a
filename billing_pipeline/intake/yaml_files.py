"""Configuration files in YAML: values for the models, and the line of every key.

Plain scalars follow YAML 1.2's core schema, not 1.1: `NO` stays Norway, `18:00` stays a time,
`0.05` becomes an exact decimal, `01067` keeps its zero, and dates are left to the models.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

import yaml

from billing_pipeline.vocabulary.problems import Problem

YamlValue: TypeAlias = "bool | int | Decimal | str | list[YamlValue] | dict[str, YamlValue] | None"

_WORDS = {"": None, "~": None, "null": None, "true": True, "false": False}
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)\.[0-9]+")


@dataclass(frozen=True)
class YamlDocument:
    """One file as it stands: its text, its value, and the nodes that know their lines."""

    file: str
    text: str
    value: YamlValue
    root: yaml.Node | None
    problems: tuple[Problem, ...] = ()


def read_yaml(file: str, text: str) -> YamlDocument:
    """Parse one document; mistakes of syntax and repeated keys are its problems."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        return YamlDocument(file, text, None, None, (_syntax_problem(file, error),))
    if root is None:
        return YamlDocument(file, text, None, None, (Problem(file, 1, None, "is empty"),))
    problems = tuple(_repeated(file, root, seen=set()))
    # A value with repeated keys or aliases has no single meaning, so it gets none.
    value = None if problems else _value(root)
    return YamlDocument(file, text, value, root, problems)


def line_of(document: YamlDocument, path: Sequence[str | int]) -> int | None:
    """Line of the deepest part of `path` that stands in the file.

    A step is a key of a mapping, a position in a list, or the `key` of an item of a list. Steps
    that match nothing (the tags of a union) are passed over.
    """
    node = document.root
    line = None if node is None else node.start_mark.line + 1
    for step in path:
        found = _step(node, step)
        if found is not None:
            line, node = found
    return line


def _step(node: yaml.Node | None, step: str | int) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(step):
                return key.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode):
        for position, item in enumerate(node.value):
            if step == position or (isinstance(step, str) and key_of(item) == step):
                return item.start_mark.line + 1, item
    return None


def key_of(node: yaml.Node) -> str | None:
    """The `key` of an item of a list, by which people know it."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == "key" and isinstance(value, yaml.ScalarNode):
                return str(value.value)
    return None


def _repeated(file: str, node: yaml.Node, seen: set[int]) -> Iterator[Problem]:
    line = node.start_mark.line + 1
    if id(node) in seen:
        yield Problem(file, line, None, "anchors and aliases are not taken; write the value out")
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, value in node.value:
            if key.value in keys:
                line = key.start_mark.line + 1
                yield Problem(file, line, key.value, "stands twice; keep one of the two")
            keys.add(key.value)
            yield from _repeated(file, value, seen)
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _repeated(file, item, seen)


def _value(node: yaml.Node) -> YamlValue:
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): _value(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_value(item) for item in node.value]
    return _scalar(node)


def _scalar(node: yaml.Node) -> YamlValue:
    text = str(node.value)
    if not isinstance(node, yaml.ScalarNode) or node.style is not None:
        return text  # quoted or block text is text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return Decimal(text) if _DECIMAL.fullmatch(text) else text


def _syntax_problem(file: str, error: yaml.YAMLError) -> Problem:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        line = error.problem_mark.line + 1
        return Problem(file, line, None, f"is not YAML: {error.problem}; mind indents and quotes")
    return Problem(file, None, None, f"is not YAML: {error}")
