"""Telephone numbers in the numbering context of a feed, to E.164 digits without +.

Distinct values are read once: usual ones vectorised, unusual ones by `phonenumbers`. Nothing is
repaired by guessing: what is no number keeps its text and a class, or is null.
"""

from functools import lru_cache
from typing import NamedTuple

import phonenumbers
import polars as pl

from billing_pipeline.catalog.feed_fields import NumberingContext

_E164_LENGTHS = (8, 15)
_MANGLED = r"^[0-9](?:[.,][0-9]+)?[eE]\+?[0-9]+$"
_PUNCTUATION = r"[\s().\-/\u00a0\u200b\u200e\u200f\u202a-\u202e\u2060\ufeff]+"


class Country(NamedTuple):
    """What a country's numbering plan says, as far as the fast path needs it."""

    code: str
    trunk: str
    lengths: tuple[int, ...]


@lru_cache(maxsize=300)
def country_of(region: str) -> Country:
    """Country code, trunk prefix and lengths of national numbers.

    Raises: ValueError for a region without numbering plan.
    """
    plan = phonenumbers.PhoneMetadata.metadata_for_region(region)
    if plan is None:
        raise ValueError(f"no numbering plan is known for {region!r}")
    trunk = plan.national_prefix or ""
    lengths = plan.general_desc.possible_length if plan.general_desc else ()
    return Country(str(plan.country_code), trunk, tuple(lengths))


def read_numbers(text: pl.Series, context: NumberingContext) -> pl.DataFrame:
    """Columns `number` and `flag` for every text: E.164 digits, or the text with its class.

    Classes: anonymous, short_code, not_a_number; `mangled` has no number at all.
    """
    distinct = text.unique(maintain_order=True).drop_nulls().alias("text").to_frame()
    read = _unusual(_usual(distinct, context), context)
    return (
        text.alias("text")
        .to_frame()
        .join(read, on="text", how="left", validate="m:1", maintain_order="left")
        .select("number", "flag")
    )


def _usual(distinct: pl.DataFrame, context: NumberingContext) -> pl.DataFrame:
    """`number` or `flag` where the text shows plainly what it is; both null where it does not."""
    country = country_of(context.country)
    trunk = country.trunk if context.national_prefix is None else context.national_prefix
    digits = distinct.with_columns(plain=_plain(pl.col("text"), context))
    plain = pl.col("plain")
    is_digits = plain.str.contains(r"^\+?[0-9]+$")
    length = plain.str.len_bytes()
    bare = length.is_in(list(country.lengths)) & (length > context.short_code_digits)
    full = (length - len(country.code)).is_in(list(country.lengths))
    cases = [(~is_digits, pl.lit(None, pl.String))]
    cases.append((plain.str.starts_with("+"), _in_range(plain.str.slice(1))))
    cases += [
        (plain.str.starts_with(prefix), _in_range(plain.str.slice(len(prefix))))
        for prefix in sorted(context.international_prefixes, key=len, reverse=True)
    ]
    if trunk:
        national = (length - len(trunk)).is_in(list(country.lengths))
        cases.append(
            (
                plain.str.starts_with(trunk) & national,
                pl.lit(country.code) + plain.str.slice(len(trunk)),
            )
        )
    cases.append((plain.str.starts_with(country.code) & full & ~bare, plain))
    cases.append((bare & ~plain.str.starts_with(trunk or "~"), pl.lit(country.code) + plain))
    number = _first_fitting(cases)
    flag = (
        pl.when(pl.col("text").str.to_lowercase().is_in(_anonymous(context)))
        .then(pl.lit("anonymous"))
        .when(pl.col("text").str.contains(_MANGLED))
        .then(pl.lit("mangled"))
        .when(is_digits & (length <= context.short_code_digits))
        .then(pl.lit("short_code"))
    )
    return digits.with_columns(flag=flag).with_columns(
        number=pl.when(pl.col("flag").is_in(["anonymous", "short_code"]))
        .then(plain)
        .when(pl.col("flag").is_null())
        .then(number)
    )


def _first_fitting(cases: list[tuple[pl.Expr, pl.Expr]]) -> pl.Expr:
    chosen: pl.Expr = pl.lit(None, pl.String)
    for condition, value in reversed(cases):
        chosen = pl.when(condition).then(value).otherwise(chosen)
    return chosen


def _anonymous(context: NumberingContext) -> list[str]:
    return [word.lower() for word in context.anonymous]


def _in_range(digits: pl.Expr) -> pl.Expr:
    is_sound = digits.str.len_bytes().is_between(*_E164_LENGTHS) & ~digits.str.starts_with("0")
    return pl.when(is_sound).then(digits)


def _plain(text: pl.Expr, context: NumberingContext) -> pl.Expr:
    """Text without URI, invisible marks, punctuation and access code."""
    uri = text.str.replace(r"^(?i)(?:sips?|tel):", "").str.replace(r"[@;].*$", "")
    bare = uri.str.replace(r"\(0\)", "").str.replace_all(_PUNCTUATION, "")
    if not context.access_code:
        return bare
    dialled = bare.str.starts_with(context.access_code) & (
        bare.str.len_bytes() > context.short_code_digits
    )
    return pl.when(dialled).then(bare.str.slice(len(context.access_code))).otherwise(bare)


def _unusual(usual: pl.DataFrame, context: NumberingContext) -> pl.DataFrame:
    """Ask `phonenumbers` about distinct texts the fast path could not tell."""
    open_ = usual.filter(pl.col("number").is_null(), pl.col("flag").is_null())
    answers = [
        _parsed(text, plain, context.country)
        for text, plain in zip(open_["text"], open_["plain"], strict=True)
    ]
    told = pl.DataFrame(
        {
            "text": open_["text"],
            "told": [number for number, _ in answers],
            "class": [flag for _, flag in answers],
        },
        schema={"text": pl.String, "told": pl.String, "class": pl.String},
    )
    joined = usual.join(told, on="text", how="left", validate="1:1", maintain_order="left")
    return joined.select(
        "text",
        number=pl.coalesce("number", "told"),
        flag=pl.coalesce("flag", "class"),
    )


def _parsed(text: str, plain: str, region: str) -> tuple[str | None, str | None]:
    candidates = [(plain, region)]
    if plain.isascii() and plain.isdigit():
        candidates.append((f"+{plain}", region))
    for candidate, context in candidates:
        try:
            number = phonenumbers.parse(candidate, context)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_possible_number(number) and candidate.lstrip("+").isdigit():
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)[1:], None
    return text, "not_a_number"
