"""Template sets: the files a document is made of; a tenant's files stand over ours."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.abc import Traversable
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field

from billing_pipeline.vocabulary.configuration import Configuration

SETTINGS = "template.yaml"
_SUFFIXES = (".j2", ".css", ".yaml", ".svg")
_LARGEST_FILE_BYTES = 512 * 1024


class TemplateRefused(Exception):
    """A template set that cannot be used; nothing was rendered."""


class TemplateSettings(Configuration):
    """The file `template.yaml`: which sections stand on the document, in which order."""

    sections: Annotated[list[str], Field(min_length=1)]
    font: str = "Liberation Sans, DejaVu Sans, sans-serif"
    mono_font: str = "Liberation Mono, DejaVu Sans Mono, monospace"
    itemisation_rows: int = Field(
        default=20_000, ge=0, description="usage rows printed at most; more stand in the CSV only"
    )
    usage_chart: Literal["none", "daily"] = "daily"


@dataclass(frozen=True)
class TemplateSet:
    """All files of a set by relative name, sorted. Small, immutable, picklable."""

    files: tuple[tuple[str, str], ...]

    @cached_property
    def content(self) -> dict[str, str]:
        """File text by relative name."""
        return dict(self.files)

    @cached_property
    def settings(self) -> TemplateSettings:
        """The parsed `template.yaml`."""
        return TemplateSettings.model_validate(yaml.safe_load(self.content[SETTINGS]))

    @cached_property
    def digest(self) -> str:
        """Hash of names and contents: equal sets print equal documents."""
        joined = "\0".join(f"{name}\0{text}" for name, text in self.files)
        return hashlib.sha256(joined.encode()).hexdigest()

    def with_overrides(self, overrides: Mapping[str, str]) -> "TemplateSet":
        """This set with a tenant's files over it."""
        return TemplateSet(tuple(sorted({**self.content, **overrides}.items())))


@cache
def default_template_set() -> TemplateSet:
    """The set that comes with the program."""
    return TemplateSet(
        tuple(sorted(_read(files("billing_pipeline.documents").joinpath("templates", "default"))))
    )


def tenant_template_set(folder: Path) -> TemplateSet:
    """The default set with the files of a tenant's `templates/` folder over it.

    Raises: TemplateRefused for a file of another kind or size.
    """
    overrides = dict(_read(folder)) if folder.is_dir() else {}
    return default_template_set().with_overrides(overrides)


def _read(folder: Traversable, prefix: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for entry in folder.iterdir():
        name = f"{prefix}{entry.name}"
        if entry.is_dir():
            found += _read(entry, f"{name}/")
        elif not entry.name.endswith(_SUFFIXES):
            raise TemplateRefused(f"{name}: a template set holds {', '.join(_SUFFIXES)} only")
        else:
            found.append((name, _text(entry, name)))
    return found


def _text(entry: Traversable, name: str) -> str:
    content = entry.read_bytes()
    if len(content) > _LARGEST_FILE_BYTES:
        raise TemplateRefused(f"{name}: larger than {_LARGEST_FILE_BYTES} bytes")
    return content.decode("utf-8")
