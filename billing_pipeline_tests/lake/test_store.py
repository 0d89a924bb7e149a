from pathlib import Path

import polars as pl
import pytest

from billing_pipeline.lake.store import Lake
from billing_pipeline.vocabulary.frames import FrameMismatch, FrameSchema, required

NUMBERS = FrameSchema("numbers", "one row per number", {"n": required(pl.Int64, "a number")})


def test_what_is_written_is_what_is_scanned(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    first = lake.write(pl.DataFrame({"n": [1, 2]}), "numbers/day=1")
    second = lake.write(pl.DataFrame({"n": [3]}), "numbers/day=2")

    scanned = lake.scan([first.path, second.path], NUMBERS).collect()

    assert scanned["n"].to_list() == [1, 2, 3]
    assert (first.rows, second.rows) == (2, 1)


def test_writing_the_same_rows_twice_leaves_one_file(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    frame = pl.DataFrame({"n": [1, 2]})

    paths = {lake.write(frame, "numbers").path for _ in range(2)}

    assert len(paths) == 1
    assert len(list((tmp_path / "numbers").iterdir())) == 1


def test_other_rows_never_overwrite_a_part(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    old = lake.write(pl.DataFrame({"n": [1]}), "numbers")
    new = lake.write(pl.DataFrame({"n": [2]}), "numbers")

    assert old.path != new.path
    assert lake.scan([old.path], NUMBERS).collect()["n"].to_list() == [1]


def test_no_parts_are_an_empty_frame(tmp_path: Path) -> None:
    assert Lake(str(tmp_path)).scan([], NUMBERS).collect().shape == (0, 1)


def test_a_part_with_other_types_is_refused(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    part = lake.write(pl.DataFrame({"n": ["one"]}), "numbers")

    with pytest.raises(FrameMismatch, match="numbers"):
        lake.scan([part.path], NUMBERS)
