import polars as pl
import pytest

from billing_pipeline.vocabulary.frames import FrameMismatch, FrameSchema, optional, required

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
