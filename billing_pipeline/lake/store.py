"""Write and scan Parquet parts of frames.

A part is named by its content, so it is never overwritten and writing the same rows twice leaves
one file. Which parts are current is written in the books, not here.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import fsspec
import polars as pl

from billing_pipeline.vocabulary.frames import FrameSchema

_HASH_BLOCK = 1 << 20


@dataclass(frozen=True)
class Part:
    """One written file: `path` is relative to the lake's root."""

    path: str
    rows: int
    bytes: int


@dataclass(frozen=True)
class Lake:
    """The folder or object store (`s3://bucket/prefix`) that holds the frames."""

    url: str

    def write(self, frame: pl.DataFrame, folder: str) -> Part:
        """Write a frame as one part below `folder`, whole or not at all."""
        filesystem, root = fsspec.core.url_to_fs(self.url)
        with tempfile.TemporaryDirectory(prefix="part-") as scratch:
            local = Path(scratch) / "part.parquet"
            frame.write_parquet(local, compression="zstd", compression_level=1)
            path = f"{folder}/part-{_content_name(local)}.parquet"
            _put_whole(filesystem, local, f"{root}/{path}")
            return Part(path, frame.height, local.stat().st_size)

    def scan(self, paths: Sequence[str], schema: FrameSchema) -> pl.LazyFrame:
        """Scan parts lazily in the given order; no paths give an empty frame.

        Raises: FrameMismatch if the files have other columns than the schema promises.
        """
        if not paths:
            return schema.empty().lazy()
        located = [self.locate(path) for path in paths]
        # Parts written before a frame had its latest optional columns are read as if null there.
        known = {**schema.polars_schema}
        first = pl.read_parquet_schema(located[0])
        is_there = {name for name, column in schema.columns.items() if not column.is_nullable}
        if not is_there <= first.keys() or any(known.get(k) != v for k, v in first.items()):
            return schema.conform_lazy(pl.scan_parquet(located))
        return schema.conform_lazy(pl.scan_parquet(located, schema=known, missing_columns="insert"))

    def locate(self, path: str) -> str:
        """Full address of a part, as Polars or a person would open it."""
        return f"{self.url.rstrip('/')}/{path}"


def content_name_of(part: BinaryIO) -> str:
    """What a part's name says of its content: 32 hex digits of its SHA-256."""
    digest = hashlib.sha256()
    while block := part.read(_HASH_BLOCK):
        digest.update(block)
    return digest.hexdigest()[:32]


def _content_name(local: Path) -> str:
    with local.open("rb") as part:
        return content_name_of(part)


def _put_whole(filesystem: fsspec.AbstractFileSystem, local: Path, target: str) -> None:
    """Copy under a dot name and rename, so that readers never see half a part.

    Object stores show a file only when its upload is complete; there the rename is not needed.
    """
    if filesystem.exists(target):
        return
    if "file" not in filesystem.protocol:
        filesystem.put_file(str(local), target)
        return
    folder, name = target.rsplit("/", 1)
    filesystem.makedirs(folder, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=f".{name}.") as held:
        copy = Path(held) / name
        shutil.copyfile(local, copy)
        copy.replace(target)
