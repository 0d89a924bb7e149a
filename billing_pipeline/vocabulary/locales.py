"""Words by locale: which names are locales, and what is said in one of them."""

from collections.abc import Mapping
from typing import Annotated

from babel import Locale, UnknownLocaleError
from pydantic import AfterValidator

from billing_pipeline.vocabulary.configuration import Configuration


def _is_a_locale(name: str) -> str:
    """The name of a locale as lookups write it: `de_AT`, not `de-AT` or `de_at`."""
    try:
        parsed = Locale.parse(name)
    except (ValueError, UnknownLocaleError):
        parsed = None
    if parsed is None or name != _written(name):
        raise ValueError(f"{name!r} is not a locale such as en_GB, nor a language such as en")
    return name


def _written(name: str) -> str:
    """Language in lower case, script as in Hant, territory in capitals."""
    script = 4
    language, *rest = name.split("_")
    parts = [part.title() if len(part) == script else part.upper() for part in rest]
    return "_".join([language.lower(), *parts])


LocaleName = Annotated[str, AfterValidator(_is_a_locale)]
"""A locale (en_GB) or a language (en)."""


def words_in(by_locale: Mapping[str, Configuration], locale: str) -> dict[str, object]:
    """The words to say in a locale: each as the locale has it, else as its language has it."""
    name = locale.replace("-", "_")
    spoken: dict[str, object] = {}
    for known in (name.partition("_")[0], name):
        if known in by_locale:
            spoken |= by_locale[known].model_dump(exclude_none=True)
    return spoken
