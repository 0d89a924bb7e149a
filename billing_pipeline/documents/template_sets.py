"""Template sets: the files a document is made of; a tenant's files stand over ours."""

import base64
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
ACCOUNT_TYPES = "account_types/"
"""Folder of the set with files for accounts of one type: `account_types/<type>/<file>`."""

_TEXT = (".j2", ".css", ".yaml", ".svg")
_BINARY = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".ttf": "font/ttf",
    ".otf": "font/otf",
    ".woff2": "font/woff2",
}
_SUFFIXES = (*_TEXT, *_BINARY)
_LARGEST_FILE_BYTES = 512 * 1024


class TemplateRefused(Exception):
    """A template set that cannot be used; nothing was rendered."""


class FontFile(Configuration):
    """A font of the set itself, one style of a family; others must be installed."""

    family: str
    file: str = Field(description="name in the templates folder, e.g. fonts/Brand-Bold.ttf")
    weight: int = Field(default=400, ge=100, le=900)
    is_italic: bool = False


class TemplateSettings(Configuration):
    """The file `template.yaml`: which sections stand on the document, in which order."""

    sections: Annotated[list[str], Field(min_length=1)]
    font: str = "Liberation Sans, DejaVu Sans, sans-serif"
    mono_font: str = "Liberation Mono, DejaVu Sans Mono, monospace"
    fonts: list[FontFile] = []
    logo: str | None = Field(default=None, description="a picture of the templates folder")
    logo_height_mm: int = Field(default=11, ge=4, le=20)
    itemisation_rows: int = Field(
        default=20_000, ge=0, description="usage rows printed at most; more stand in the CSV only"
    )
    usage_chart: Literal["none", "daily", "destinations", "both"] = "daily"


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

    def address(self, name: str) -> str:
        """A file as a `data:` address. Raises: TemplateRefused if there is none."""
        if name not in self.content:
            raise TemplateRefused(f"{SETTINGS} names {name}, which is not in the templates folder")
        text = self.content[name]
        if text.startswith("data:"):
            return text
        return f"data:image/svg+xml;base64,{base64.b64encode(text.encode()).decode()}"

    @cached_property
    def digest(self) -> str:
        """Hash of names and contents: equal sets print equal documents."""
        joined = "\0".join(f"{name}\0{text}" for name, text in self.files)
        return hashlib.sha256(joined.encode()).hexdigest()

    @property
    def account_types(self) -> tuple[str, ...]:
        """The types of accounts that have files of their own."""
        named = {name.split("/")[1] for name, _ in self.files if name.startswith(ACCOUNT_TYPES)}
        return tuple(sorted(named))

    def for_account_type(self, account_type: str) -> "TemplateSet":
        """What accounts of a type get: the set with the files of that type over it."""
        own = f"{ACCOUNT_TYPES}{account_type}/"
        common = {name: text for name, text in self.files if not name.startswith(ACCOUNT_TYPES)}
        of_type = {
            name.removeprefix(own): text for name, text in self.files if name.startswith(own)
        }
        return TemplateSet(tuple(sorted({**common, **of_type}.items())))

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
    return default_template_set().with_overrides(read_overrides(folder))


def read_overrides(folder: Path) -> dict[str, str]:
    """The files of a tenant's `templates/` folder by name; pictures and fonts as addresses.

    Raises: TemplateRefused for a file of another kind or size.
    """
    return dict(sorted(_read(folder))) if folder.is_dir() else {}


def write_overrides(folder: Path, overrides: Mapping[str, str]) -> None:
    """Write files as `read_overrides` reads them."""
    for name, text in overrides.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        _, is_address, content = text.partition(";base64,")
        is_binary = path.suffix.lower() in _BINARY and is_address
        path.write_bytes(base64.b64decode(content) if is_binary else text.encode())


def _read(folder: Traversable, prefix: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for entry in folder.iterdir():
        name = f"{prefix}{entry.name}"
        if entry.name.startswith("."):
            continue
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
        raise TemplateRefused(
            f"{name}: {len(content)} bytes, at most {_LARGEST_FILE_BYTES}: "
            "every document carries it"
        )
    kind = _BINARY.get(name[name.rfind(".") :].lower())
    if kind is not None:
        return f"data:{kind};base64,{base64.b64encode(content).decode()}"
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        raise TemplateRefused(f"{name}: is not UTF-8; save it as UTF-8") from None
