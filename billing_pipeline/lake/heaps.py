"""Rows put aside on local disk in numbered heaps, while a day too large for memory is cut up."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from billing_pipeline.vocabulary.frames import FrameSchema


class Heaps:
    """Numbered heaps of one frame's rows; a heap is taken once."""

    def __init__(self, folder: Path, schema: FrameSchema) -> None:
        self._folder = folder
        self._schema = schema
        self._files = 0

    def put(self, heap: int, rows: pl.DataFrame) -> None:
        """Lay rows on a heap."""
        folder = self._folder / f"{heap}"
        folder.mkdir(exist_ok=True)
        self._files += 1
        rows.write_parquet(folder / f"{self._files:08}.parquet", compression="lz4")

    def take(self, heap: int) -> pl.DataFrame:
        """All rows of a heap in the order they were laid on it; the heap is gone then."""
        folder = self._folder / f"{heap}"
        if not folder.exists():
            return self._schema.empty()
        rows = pl.concat([pl.read_parquet(file) for file in sorted(folder.iterdir())])
        shutil.rmtree(folder)
        return self._schema.conform(rows)


@contextmanager
def heaps_of(schema: FrameSchema) -> Iterator[Heaps]:
    """Empty heaps in the system's scratch folder (`TMPDIR`), gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="heaps-") as folder:
        yield Heaps(Path(folder), schema)
