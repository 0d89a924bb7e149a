import polars as pl
import pytest

from billing_pipeline.vocabulary.frames import (
    FrameMismatch,
    FrameSchema,
    optional,
    parts_by,
    required,
)

PEOPLE = FrameSchema(
    "people",
    "one row per person",
    {"name": required(pl.String, "name"), "age": optional(pl.Int64, "age in years")},
)


def test_a_frame_leaves_with_the_promised_columns_in_order() -> None:
    frame = pl.DataFrame(
        {"extra": [1], "age": [None], "name": ["Ada"]}, schema_overrides={"age": pl.Int64}
    )

    assert PEOPLE.conform(frame).columns == ["name", "age"]


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        pytest.param(pl.DataFrame({"name": ["Ada"]}), "missing columns", id="missing column"),
        pytest.param(pl.DataFrame({"name": ["Ada"], "age": ["x"]}), "age", id="other type"),
        pytest.param(
            pl.DataFrame({"name": [None], "age": [1]}, schema={"name": pl.String, "age": pl.Int64}),
            "name",
            id="null where none may be",
        ),
    ],
)
def test_a_frame_that_breaks_its_promise_is_refused_by_name(
    frame: pl.DataFrame, words: str
) -> None:
    with pytest.raises(FrameMismatch, match=words):
        PEOPLE.conform(frame)


def test_a_lazy_frame_is_refused_before_it_is_collected() -> None:
    with pytest.raises(FrameMismatch, match="age"):
        PEOPLE.conform_lazy(pl.LazyFrame({"name": ["Ada"]}))


def test_an_empty_frame_keeps_its_promise() -> None:
    assert PEOPLE.conform(PEOPLE.empty()).schema == PEOPLE.polars_schema


@pytest.mark.parametrize(
    ("ages", "parts"),
    [
        pytest.param([], [], id="nobody"),
        pytest.param([7, 7], [(7, [0, 1])], id="all of one age"),
        pytest.param([9, 7, 9], [(7, [1]), (9, [0, 2])], id="of two ages"),
    ],
)
def test_rows_come_apart_by_a_value_in_its_order(
    ages: list[int], parts: list[tuple[int, list[int]]]
) -> None:
    people = pl.DataFrame({"row": range(len(ages))}, schema={"row": pl.Int64})

    apart = parts_by(people, pl.Series(ages, dtype=pl.Int64))

    assert [(age, rows.columns, rows["row"].to_list()) for age, rows in apart] == [
        (age, ["row"], rows) for age, rows in parts
    ]
