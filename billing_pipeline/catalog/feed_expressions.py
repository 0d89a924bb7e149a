"""Expressions of feed definitions: a small safe language, parsed here, compiled by mediation.

An expression is read by Python's own parser and then held to the short list below; nothing is
ever evaluated by Python. Names are fields of the feed.

    billsec                                       a field
    'voice'   60   1.5                            text and exact numbers
    octets_in + gigawords_in * 4294967296         + - * / on exact decimals
    disposition == 'ANSWERED' and billsec > 0     == != < <= > >= in, not in, and, or, not
    'inbound' if context == 'trunk' else 'outbound'
    coalesce(did, dst)                            first that is not null
    concat(switch, '-', call_id)                  text; a null part stands as empty text
    lower(x) upper(x) length(x) is_null(x)
    replace(x, '^9', '')  extract(x, '<(.*)>')    regular expressions without look-around
    starts_with(x, 'sip:')  ends_with(x, 'z')  matches(x, '^7[0-9]+$')
    seconds_between(ended_at, started_at)         exact seconds, later instant first
    minimum(a, b)  maximum(a, b)  absolute(x)
"""

import ast
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

FUNCTIONS: dict[str, tuple[int, int]] = {
    "coalesce": (1, 20),
    "concat": (1, 20),
    "lower": (1, 1),
    "upper": (1, 1),
    "length": (1, 1),
    "is_null": (1, 1),
    "replace": (3, 3),
    "extract": (2, 2),
    "starts_with": (2, 2),
    "ends_with": (2, 2),
    "matches": (2, 2),
    "seconds_between": (2, 2),
    "minimum": (2, 20),
    "maximum": (2, 20),
    "absolute": (1, 1),
}
"""Every function with its least and greatest number of arguments."""

_LONGEST = 1000
_STRUCTURE = (
    ast.Expression,
    ast.BinOp,
    ast.Add,
    ast.Sub,
    ast.Mult,
    ast.Div,
    ast.UnaryOp,
    ast.Not,
    ast.USub,
    ast.BoolOp,
    ast.And,
    ast.Or,
    ast.Compare,
    ast.Eq,
    ast.NotEq,
    ast.Lt,
    ast.LtE,
    ast.Gt,
    ast.GtE,
    ast.In,
    ast.NotIn,
    ast.IfExp,
    ast.List,
    ast.Tuple,
    ast.Load,
)


def parse_expression(text: str) -> ast.expr:
    """The tree of an expression, after it is held to the safe set.

    Raises: ValueError that says what is not allowed.
    """
    if len(text) > _LONGEST:
        raise ValueError(f"an expression may have {_LONGEST} characters at most")
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, RecursionError, MemoryError) as error:
        raise ValueError(f"{text!r} is not an expression: {error}") from error
    for node in ast.walk(tree):
        _check_node(node, text)
    return tree.body


def names_in(text: str) -> set[str]:
    """The fields an expression reads."""
    tree = parse_expression(text)
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return {
        node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in called
    }


def _check_node(node: ast.AST, text: str) -> None:
    if isinstance(node, ast.Call):
        _check_call(node, text)
    elif isinstance(node, ast.Constant):
        if type(node.value) not in (str, int, float):
            raise ValueError(f"{text!r}: only text and numbers may stand in an expression")
    elif isinstance(node, ast.Compare):
        if len(node.ops) != 1:
            raise ValueError(f"{text!r}: compare two things at a time and join them with 'and'")
    elif type(node) not in (*_STRUCTURE, ast.Name):
        raise ValueError(f"{text!r}: {type(node).__name__} is not allowed in an expression")


def _check_call(node: ast.Call, text: str) -> None:
    if not isinstance(node.func, ast.Name) or node.func.id not in FUNCTIONS or node.keywords:
        raise ValueError(f"{text!r}: functions are {', '.join(FUNCTIONS)}")
    least, most = FUNCTIONS[node.func.id]
    if not least <= len(node.args) <= most:
        raise ValueError(f"{text!r}: {node.func.id} takes {least} to {most} arguments")


def _checked(text: str) -> str:
    parse_expression(text)
    return text


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


Expression = Annotated[str, BeforeValidator(_as_text), AfterValidator(_checked)]
"""An expression over the fields of a feed; the simplest is the name of one field."""
