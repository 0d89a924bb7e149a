"""Words on documents, by language: one YAML dictionary each, all with the same keys."""

from functools import cache
from importlib.resources import files

import yaml

FALLBACK = "en"
_UNITS = "units.yaml"


class LabelMissing(Exception):
    """A dictionary lacks a word that documents print."""


@cache
def labels(locale: str) -> dict[str, str]:
    """The words for a locale such as `de_AT`: its language's, else the English ones."""
    language = locale.partition("_")[0].lower()
    source = files("billing_pipeline.documents").joinpath("labels", f"{language}.yaml")
    if not source.is_file():
        return labels(FALLBACK)
    words: dict[str, str] = yaml.safe_load(source.read_text(encoding="utf-8"))
    missing = set() if language == FALLBACK else labels(FALLBACK).keys() - words.keys()
    if missing:
        raise LabelMissing(f"{language}.yaml lacks {sorted(missing)}")
    return words


@cache
def unit_words() -> dict[str, dict[str, tuple[str, str]]]:
    """Units by language, for one and for other quantities."""
    source = files("billing_pipeline.documents").joinpath("labels", _UNITS)
    read: dict[str, dict[str, tuple[str, str]]] = yaml.safe_load(source.read_text(encoding="utf-8"))
    return read


def spoken_languages() -> list[str]:
    """Languages with a dictionary, sorted."""
    folder = files("billing_pipeline.documents").joinpath("labels")
    return sorted(
        entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name != _UNITS
    )
