"""Decks as files: tables of texts with the rows people count, and layouts of one's own."""

import gzip
from pathlib import Path

import polars as pl
import yaml

from billing_pipeline.catalog.deck_layouts import LAYOUTS, FileLayout
from billing_pipeline.intake.model_problems import did_you_mean, parse_document
from billing_pipeline.intake.yaml_files import read_yaml
from billing_pipeline.vocabulary.problems import ROW, ConfigurationRefused, Problem

_GZIP = b"\x1f\x8b"


class UnknownLayout(LookupError):
    """A layout that is neither known nor a file."""


def read_layout(name: str) -> FileLayout:
    """A known layout, or one of a YAML file.

    Raises: UnknownLayout, ConfigurationRefused with every mistake of the file.
    """
    if name in LAYOUTS:
        return LAYOUTS[name]
    path = Path(name)
    if not path.is_file():
        raise UnknownLayout(
            f"no layout {name!r}: neither a file nor one of {', '.join(sorted(LAYOUTS))}"
            + did_you_mean(name, LAYOUTS)
        )
    document = read_yaml(path.name, path.read_text(encoding="utf-8"))
    layout, problems = parse_document(document, FileLayout)
    if layout is None:
        raise ConfigurationRefused(problems)
    return layout


def layout_text(layout: FileLayout) -> str:
    """A layout as the file it could stand in."""
    document = layout.model_dump(mode="json", exclude_defaults=True)
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True)


def read_cells(path: Path, layout: FileLayout) -> pl.DataFrame:
    """The table of a deck, every cell a text, with ROW as people count; gzip is opened.

    Raises: ConfigurationRefused if the file is not what its layout says.
    """
    content = path.read_bytes()
    if content.startswith(_GZIP):
        content = gzip.decompress(content)
    text = content.decode(layout.encoding, errors="replace").removeprefix("\ufeff")
    before = 0 if layout.header_row is None else layout.header_row - 1
    first = before + (1 if layout.header_row is None else 2)
    try:
        cells = pl.read_csv(
            text.encode(),
            separator=layout.delimiter,
            has_header=layout.header_row is not None,
            new_columns=layout.columns or None,
            skip_lines=before,
            infer_schema=False,
            truncate_ragged_lines=True,
        )
    except (pl.exceptions.PolarsError, UnicodeDecodeError) as error:
        wrong = str(error).split("\n", maxsplit=1)[0]
        raise ConfigurationRefused([Problem(path.name, None, None, f"no table: {wrong}")]) from None
    named = cells.rename({name: name.strip() for name in cells.columns})
    return _without_footer(named.with_row_index(ROW, offset=first), layout).with_columns(
        pl.col(ROW).cast(pl.Int64)
    )


def _without_footer(cells: pl.DataFrame, layout: FileLayout) -> pl.DataFrame:
    if layout.ends_at is None:
        return cells
    first = pl.col(cells.columns[1]).fill_null("").str.strip_chars()
    is_over = first.str.starts_with(layout.ends_at).cum_max()
    return cells.filter(~is_over)
