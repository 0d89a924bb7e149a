"""Frames with a name, a grain and checked columns: what one room hands to the next."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

UTC_INSTANT = pl.Datetime("us", "UTC")


class FrameMismatch(Exception):
    """A frame does not have the columns, types or values its schema promises."""


@dataclass(frozen=True)
class Column:
    """One column of a frame: its type, its meaning, and whether it may be null."""

    dtype: pl.DataType | type[pl.DataType]
    meaning: str
    is_nullable: bool = False


@dataclass(frozen=True)
class FrameSchema:
    """The promise of a frame: `grain` says what one row is."""

    name: str
    grain: str
    columns: Mapping[str, Column]

    @property
    def names(self) -> list[str]:
        """Column names in order."""
        return list(self.columns)

    @cached_property
    def polars_schema(self) -> pl.Schema:
        """Column names and types as Polars has them."""
        return pl.Schema({name: column.dtype for name, column in self.columns.items()})

    def empty(self) -> pl.DataFrame:
        """A frame with these columns and no rows."""
        return pl.DataFrame(schema=self.polars_schema)

    def conform(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Select the promised columns in order and check types and nulls.

        Extra columns are left behind; nothing is cast.
        Raises: FrameMismatch that names the frame and every wrong column.
        """
        missing = [name for name in self.columns if name not in frame.columns]
        if missing:
            raise FrameMismatch(f"{self.name}: missing columns {missing}; has {frame.columns}")
        selected = frame.select(self.names)
        self._check(selected)
        return selected

    def conform_lazy(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Select the promised columns in order; types are checked when it is collected.

        Raises: FrameMismatch if a column is missing or has another type.
        """
        schema = frame.collect_schema()
        wrong = {
            name: schema.get(name)
            for name, column in self.columns.items()
            if schema.get(name) != column.dtype
        }
        if wrong:
            raise FrameMismatch(f"{self.name}: columns missing or of another type: {wrong}")
        return frame.select(self.names)

    def _check(self, frame: pl.DataFrame) -> None:
        """Let pandera judge; what it said of the same columns and types before still holds.

        Only nulls differ from frame to frame of one schema, and counting them is free, so pandera
        reads the rows when there is something to say about them.
        """
        seen = tuple(frame.schema.items())
        if seen not in self._accepted:
            self._validate(frame.clear())
            self._accepted.add(seen)
        if any(frame[name].null_count() for name in self._never_null):
            self._validate(frame)

    def _validate(self, frame: pl.DataFrame) -> None:
        import pandera.errors  # noqa: PLC0415 - slow to import, needed only at hand-overs

        try:
            self._pandera.validate(frame, lazy=True)
        except pandera.errors.SchemaErrors as error:
            failures = error.failure_cases.head(10)
            raise FrameMismatch(f"{self.name} ({self.grain}) breaks its schema:\n{failures}") from (
                None
            )

    @cached_property
    def _accepted(self) -> set[tuple[tuple[str, pl.DataType], ...]]:
        return set()

    @cached_property
    def _never_null(self) -> list[str]:
        return [name for name, column in self.columns.items() if not column.is_nullable]

    @cached_property
    def _pandera(self) -> Any:  # noqa: ANN401 - pandera's own type, imported late
        import pandera.polars as pa  # noqa: PLC0415 - slow to import, needed only at hand-overs

        columns = {
            name: pa.Column(column.dtype, nullable=column.is_nullable)
            for name, column in self.columns.items()
        }
        return pa.DataFrameSchema(columns, strict=True, ordered=True, name=self.name)


def required(dtype: pl.DataType | type[pl.DataType], meaning: str) -> Column:
    """A column that is never null."""
    return Column(dtype, meaning)


def optional(dtype: pl.DataType | type[pl.DataType], meaning: str) -> Column:
    """A column that may be null."""
    return Column(dtype, meaning, is_nullable=True)


def parts_by(frame: pl.DataFrame, by: pl.Series) -> list[tuple[Any, pl.DataFrame]]:
    """The rows of each value of `by`, values rising; a frame with one value is handed on as it is.

    `by` has a value for each row, none of them null.
    """
    if frame.is_empty():
        return []
    if by.min() == by.max():
        return [(by.item(0), frame)]
    parts = frame.with_columns(by.alias("_by")).partition_by("_by", as_dict=True, include_key=False)
    return [(value, part) for (value,), part in sorted(parts.items())]
