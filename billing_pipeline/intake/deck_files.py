"""Decks as files: tables of texts with the rows people count, and layouts of one's own."""

import gzip
from pathlib import Path

import polars as pl
import yaml

from billing_pipeline.catalog.deck_layouts import FIRST_DAY, LAYOUTS, CodeColumns, FileLayout
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
    before = _lines_before(text, layout, path.name)
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
    rows = _without_footer(named.with_row_index(ROW, offset=first), layout).with_columns(
        pl.col(ROW).cast(pl.Int64)
    )
    day = _day_in_text(text.splitlines()[:before], layout)
    return rows if day is None else rows.with_columns(pl.lit(day).alias(FIRST_DAY))


def read_codes(path: Path, columns: CodeColumns) -> pl.DataFrame:
    """The file that says which prefixes the codes of a deck have, every cell a text.

    Raises: ConfigurationRefused if it lacks a column.
    """
    codes = read_cells(path, FileLayout(prefix=columns.prefix, unit_price=columns.code))
    missing = [name for name in (columns.code, columns.prefix) if name not in codes.columns]
    if missing:
        message = f"has no column {missing}; it has {codes.drop(ROW).columns}"
        raise ConfigurationRefused([Problem(path.name, 1, None, message)])
    return codes


def _lines_before(text: str, layout: FileLayout, file: str) -> int:
    """Lines that stand before the row of the column names."""
    if layout.header_at is None:
        return 0 if layout.header_row is None else layout.header_row - 1
    for number, line in enumerate(text.splitlines()):
        if line.split(layout.delimiter)[0].strip('" ') == layout.header_at:
            return number
    message = (
        f"no row begins with the cell {layout.header_at!r}, as that of the column names should"
    )
    raise ConfigurationRefused([Problem(file, None, None, message)])


def _day_in_text(lines: list[str], layout: FileLayout) -> str | None:
    words = layout.first_day_after
    if words is None:
        return None
    found = (line.partition(words)[2].strip(' ",') for line in lines if words in line)
    return next(found, None)


def _without_footer(cells: pl.DataFrame, layout: FileLayout) -> pl.DataFrame:
    if layout.ends_at is None:
        return cells
    first = pl.col(cells.columns[1]).fill_null("").str.strip_chars()
    is_over = first.str.starts_with(layout.ends_at).cum_max()
    return cells.filter(~is_over)
