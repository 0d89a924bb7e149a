"""What a model has against a value, in words that tell what to do."""

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import pydantic
from pydantic_core import ErrorDetails

from billing_pipeline.intake.yaml_files import YamlDocument, YamlValue, line_of
from billing_pipeline.vocabulary.configuration import Configuration
from billing_pipeline.vocabulary.problems import Problem

Model = TypeVar("Model", bound=Configuration)

_WHAT_IT_IS_FOR = {
    "currency": "say in which currency the prices are, e.g. `currency: USD`",
    "time_zone": "say where local days begin, e.g. `time_zone: Europe/London`",
}


def parse_document(
    document: YamlDocument, model: type[Model]
) -> tuple[Model | None, list[Problem]]:
    """The document as `model`, or every reason why it is not one."""
    if document.problems:
        return None, list(document.problems)
    try:
        return model.model_validate(document.value), []
    except pydantic.ValidationError as error:
        names = _field_names(model)
        return None, [_problem(document, details, names) for details in error.errors()]


def did_you_mean(given: str, known: Iterable[str]) -> str:
    """A closing remark that offers the nearest known word, or nothing."""
    near = difflib.get_close_matches(given, sorted(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""


def _problem(document: YamlDocument, details: ErrorDetails, names: Sequence[str]) -> Problem:
    location = details["loc"]
    words = _WORDS.get(details["type"], _as_pydantic_says)
    last = str(location[-1]) if location else ""
    return Problem(
        document.file,
        line_of(document, location),
        "/".join(readable_path(document.value, location)) or None,
        words(details, last, names),
    )


def readable_path(value: YamlValue, location: Sequence[str | int]) -> list[str]:
    """The location with the `key` of list items in place of their position, for people."""
    steps = []
    for step in location:
        inner = _inside(value, step)
        if inner is None and step != location[-1]:
            continue  # the tag of a union; it stands in no file
        value = inner
        key = value.get("key") if isinstance(value, dict) and isinstance(step, int) else None
        steps.append(str(step if key is None else key))
    return steps


def _inside(value: YamlValue, step: str | int) -> YamlValue:
    if isinstance(value, dict):
        return value.get(str(step))
    if isinstance(value, list) and isinstance(step, int):
        return value[step]
    return None


def _field_names(model: type[Configuration]) -> list[str]:
    """Every key that may stand anywhere under the model: candidates for a misspelt one."""
    schema = model.model_json_schema()
    parts = [schema, *schema.get("$defs", {}).values()]
    return sorted({name for part in parts for name in part.get("properties", {})})


def _missing(_details: ErrorDetails, last: str, _names: Sequence[str]) -> str:
    return f"is missing; {_WHAT_IT_IS_FOR.get(last, 'add it')}"


def _unknown_key(_details: ErrorDetails, last: str, names: Sequence[str]) -> str:
    return f"is no known key{did_you_mean(last, [name for name in names if name != last])}"


def _unknown_word(details: ErrorDetails, _last: str, _names: Sequence[str]) -> str:
    context = details.get("ctx", {})
    return f"{details['input']!r} is not one of {context.get('expected', '')}"


def _unknown_tag(details: ErrorDetails, _last: str, _names: Sequence[str]) -> str:
    context = details.get("ctx", {})
    given = str(context.get("tag", ""))
    known = [word.strip().strip("'") for word in str(context.get("expected_tags", "")).split(",")]
    return f"{given!r} is no known kind; it is one of {', '.join(known)}" + did_you_mean(
        given, known
    )


def _no_tag(details: ErrorDetails, _last: str, _names: Sequence[str]) -> str:
    key = str(details.get("ctx", {}).get("discriminator", "'kind'")).strip("'")
    return f"says no {key!r}; it tells what kind of thing this is"


def _not_a_date(details: ErrorDetails, _last: str, _names: Sequence[str]) -> str:
    return f"{details['input']!r} is not a date; write it as 2026-09-30"


def _not_a_number(details: ErrorDetails, _last: str, _names: Sequence[str]) -> str:
    return f"{details['input']!r} is not a number; write it as 1234.56"


def _bad_pattern(details: ErrorDetails, last: str, _names: Sequence[str]) -> str:
    pattern = details.get("ctx", {}).get("pattern", "")
    rule = _PATTERNS.get(str(pattern), f"must look like {pattern}")
    return f"{details['input']!r} will not do for {last}: {rule}"


def _rule_broken(details: ErrorDetails, _last: str, _names: Sequence[str]) -> str:
    return details["msg"].removeprefix("Value error, ")


def _not_a_mapping(_details: ErrorDetails, _last: str, _names: Sequence[str]) -> str:
    return "must be keys with values, one per line"


def _as_pydantic_says(details: ErrorDetails, _last: str, _names: Sequence[str]) -> str:
    given = details["input"]
    shown = f"{given!r}: " if isinstance(given, str | int) else ""
    return f"{shown}{details['msg'][:1].lower()}{details['msg'][1:]}"


_PATTERNS = {
    r"^[A-Z]{3}$": "a currency is three capital letters, e.g. USD",
    r"^[A-Z]{2}$": "a country is two capital letters, e.g. GB",
    r"^#[0-9a-fA-F]{6}$": "a colour is # and six hex digits, quoted, e.g. '#1f3a5f'",
    r"^[a-z0-9][a-z0-9_.-]{0,62}$": "a key has lower-case letters, digits, `_`, `-` and `.`",
}

_WORDS: Mapping[str, Callable[[ErrorDetails, str, Sequence[str]], str]] = {
    "missing": _missing,
    "extra_forbidden": _unknown_key,
    "literal_error": _unknown_word,
    "union_tag_invalid": _unknown_tag,
    "union_tag_not_found": _no_tag,
    "date_from_datetime_parsing": _not_a_date,
    "date_parsing": _not_a_date,
    "date_type": _not_a_date,
    "decimal_parsing": _not_a_number,
    "decimal_type": _not_a_number,
    "int_parsing": _not_a_number,
    "string_pattern_mismatch": _bad_pattern,
    "value_error": _rule_broken,
    "model_type": _not_a_mapping,
    "model_attributes_type": _not_a_mapping,
}
