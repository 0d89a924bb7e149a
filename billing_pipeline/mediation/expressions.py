"""Expressions of feeds compiled to Polars: typed, exact, null where an operand is null."""

import ast
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Literal, NamedTuple

import polars as pl

from billing_pipeline.catalog.feed_expressions import parse_expression
from billing_pipeline.mediation.quantities import WIDEST
from billing_pipeline.vocabulary.money import QUANTITY, plain_text

Kind = Literal["text", "number", "instant", "truth"]

SAFE_FACTOR = Decimal(10) ** 7
"""One factor of every product is at most this, so that no product overflows."""

SMALLEST_DIVISOR = Decimal(1).scaleb(-6)
"""Smaller divisors give null, so that no quotient overflows."""

_MICROSECONDS = Decimal(1_000_000)


class UnsoundExpression(ValueError):
    """An expression that mixes kinds of values, such as text plus number."""


class Typed(NamedTuple):
    """A Polars expression and the kind of its values."""

    expr: pl.Expr
    kind: Kind


def compile_expression(text: str, kinds: Mapping[str, Kind], wanted: Kind) -> pl.Expr:
    """The Polars expression of `text` over columns of the given kinds.

    Shape: row by row. Numbers are Decimal(38, 10); a number becomes text where text is wanted.
    Raises: UnsoundExpression if kinds do not fit, ValueError if the text is no expression.
    """
    typed = _compile(parse_expression(text), kinds)
    if wanted == "text" and typed.kind in ("number", "instant"):
        return _as_text(typed)
    if typed.kind != wanted:
        raise UnsoundExpression(f"{text!r} gives {typed.kind}, not {wanted}")
    return typed.expr


def _as_text(typed: Typed) -> pl.Expr:
    return plain_text(typed.expr) if typed.kind == "number" else typed.expr.cast(pl.String)


def _compile(node: ast.AST, kinds: Mapping[str, Kind]) -> Typed:
    if isinstance(node, ast.Name):
        return Typed(_column(node.id, kinds[node.id]), kinds[node.id])
    if isinstance(node, ast.Constant):
        return _constant(node.value)
    compiler = _COMPILERS.get(type(node))
    if compiler is None:
        raise UnsoundExpression(f"{ast.unparse(node)!r} cannot stand there")
    return compiler(node, kinds)


def _column(name: str, kind: Kind) -> pl.Expr:
    return pl.col(name).cast(QUANTITY) if kind == "number" else pl.col(name)


def _constant(value: object) -> Typed:
    if isinstance(value, str):
        return Typed(pl.lit(value), "text")
    return Typed(pl.lit(Decimal(str(value)), QUANTITY), "number")


def _operand(node: ast.AST, kinds: Mapping[str, Kind], kind: Kind) -> pl.Expr:
    typed = _compile(node, kinds)
    if typed.kind != kind:
        raise UnsoundExpression(f"{ast.unparse(node)!r} is {typed.kind}, not {kind}")
    return typed.expr


def _unary(node: ast.UnaryOp, kinds: Mapping[str, Kind]) -> Typed:
    if isinstance(node.op, ast.Not):
        return Typed(~_operand(node.operand, kinds, "truth"), "truth")
    return Typed(_ZERO - _operand(node.operand, kinds, "number"), "number")


_ZERO = pl.lit(Decimal(0), QUANTITY)


def _arithmetic(node: ast.BinOp, kinds: Mapping[str, Kind]) -> Typed:
    left = _operand(node.left, kinds, "number")
    right = _operand(node.right, kinds, "number")
    if isinstance(node.op, ast.Mult):
        # Decimal overflow would stop the file; a product out of range is null, hence suspense.
        is_safe = pl.min_horizontal(left.abs(), right.abs()) <= pl.lit(SAFE_FACTOR, QUANTITY)
        product = (pl.when(is_safe).then(left) * right).cast(QUANTITY)
        return Typed(_bounded(product), "number")
    if isinstance(node.op, ast.Div):
        divisor = pl.when(right.abs() >= pl.lit(SMALLEST_DIVISOR, QUANTITY)).then(right)
        return Typed(_bounded((left / divisor).cast(QUANTITY)), "number")
    if isinstance(node.op, ast.Add):
        return Typed(_bounded((left + right).cast(QUANTITY)), "number")
    return Typed(_bounded((left - right).cast(QUANTITY)), "number")


def _bounded(number: pl.Expr) -> pl.Expr:
    return pl.when(number.abs() <= pl.lit(WIDEST, QUANTITY)).then(number)


def _logic(node: ast.BoolOp, kinds: Mapping[str, Kind]) -> Typed:
    parts = [_operand(value, kinds, "truth") for value in node.values]
    joined = pl.all_horizontal if isinstance(node.op, ast.And) else pl.any_horizontal
    return Typed(joined(parts), "truth")


_COMPARISONS: dict[type[ast.cmpop], Callable[[pl.Expr, pl.Expr], pl.Expr]] = {
    ast.Eq: lambda left, right: left == right,
    ast.NotEq: lambda left, right: left != right,
    ast.Lt: lambda left, right: left < right,
    ast.LtE: lambda left, right: left <= right,
    ast.Gt: lambda left, right: left > right,
    ast.GtE: lambda left, right: left >= right,
}


def _comparison(node: ast.Compare, kinds: Mapping[str, Kind]) -> Typed:
    operator, right_node = node.ops[0], node.comparators[0]
    left = _compile(node.left, kinds)
    if isinstance(operator, ast.In | ast.NotIn):
        if not isinstance(right_node, ast.List | ast.Tuple):
            raise UnsoundExpression("what follows 'in' must be a list")
        members = [left.expr == _operand(item, kinds, left.kind) for item in right_node.elts]
        found = pl.any_horizontal(members)
        return Typed(found if isinstance(operator, ast.In) else ~found, "truth")
    right = _operand(right_node, kinds, left.kind)
    return Typed(_COMPARISONS[type(operator)](left.expr, right), "truth")


def _choice(node: ast.IfExp, kinds: Mapping[str, Kind]) -> Typed:
    then = _compile(node.body, kinds)
    otherwise = _operand(node.orelse, kinds, then.kind)
    condition = _operand(node.test, kinds, "truth")
    return Typed(pl.when(condition).then(then.expr).otherwise(otherwise), then.kind)


def _call(node: ast.Call, kinds: Mapping[str, Kind]) -> Typed:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name in _OF_SAME_KIND:
        first = _compile(node.args[0], kinds)
        rest = [_operand(argument, kinds, first.kind) for argument in node.args[1:]]
        return Typed(_OF_SAME_KIND[name]([first.expr, *rest]), first.kind)
    if name == "is_null":
        return Typed(_compile(node.args[0], kinds).expr.is_null(), "truth")
    if name == "concat":
        parts = [
            _as_text(part) if part.kind != "text" else part.expr
            for part in (_compile(argument, kinds) for argument in node.args)
        ]
        return Typed(pl.concat_str([part.fill_null("") for part in parts]), "text")
    if name == "seconds_between":
        later, earlier = (_operand(argument, kinds, "instant") for argument in node.args)
        elapsed = (later - earlier).dt.total_microseconds().cast(QUANTITY)
        return Typed(elapsed / pl.lit(_MICROSECONDS, QUANTITY), "number")
    if name == "absolute":
        return Typed(_operand(node.args[0], kinds, "number").abs(), "number")
    return _text_call(name, node, kinds)


def _text_call(name: str, node: ast.Call, kinds: Mapping[str, Kind]) -> Typed:
    text = _operand(node.args[0], kinds, "text").str
    words = [_word(argument) for argument in node.args[1:]]
    if name == "length":
        return Typed(text.len_chars().cast(QUANTITY), "number")
    if name in ("lower", "upper"):
        return Typed(text.to_lowercase() if name == "lower" else text.to_uppercase(), "text")
    if name == "replace":
        return Typed(text.replace_all(words[0], words[1]), "text")
    if name == "extract":
        return Typed(text.extract(words[0], 1 if "(" in words[0] else 0), "text")
    tests = {"starts_with": text.starts_with, "ends_with": text.ends_with, "matches": text.contains}
    return Typed(tests[name](words[0]), "truth")


def _word(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise UnsoundExpression(f"{ast.unparse(node)!r} must be a text in quotes")


_OF_SAME_KIND: dict[str, Callable[[list[pl.Expr]], pl.Expr]] = {
    "coalesce": pl.coalesce,
    "minimum": pl.min_horizontal,
    "maximum": pl.max_horizontal,
}

_COMPILERS: dict[type[ast.AST], Callable[..., Typed]] = {
    ast.UnaryOp: _unary,
    ast.BinOp: _arithmetic,
    ast.BoolOp: _logic,
    ast.Compare: _comparison,
    ast.IfExp: _choice,
    ast.Call: _call,
}
