import datetime as dt
from collections.abc import Iterator
from decimal import Decimal

import polars as pl
import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing_pipeline.books.copy import NotCopied, copy_in, copy_out, sql_type, staged
from billing_pipeline.vocabulary.frames import UTC_INSTANT, FrameSchema, optional
from billing_pipeline.vocabulary.money import AMOUNT

ALL_TYPES = FrameSchema(
    name="all_types",
    grain="one row per example",
    columns={
        "text": optional(pl.String, "anything Postgres can hold"),
        "number": optional(pl.Int64, ""),
        "amount": optional(AMOUNT, ""),
        "day": optional(pl.Date, ""),
        "instant": optional(UTC_INSTANT, ""),
        "is_so": optional(pl.Boolean, ""),
        "other": optional(pl.String, "a last column that may be empty"),
    },
)

# Postgres holds every character but NUL.
texts = st.text(
    st.characters(blacklist_characters="\x00", blacklist_categories=["Cs"]), max_size=12
) | st.sampled_from(
    ["", "\\N", "\\.", '"', "NULL", "null", " ", "a,b", "\r\n", "''", "%s", "%(x)s"]
)
amounts = st.decimals(-(10**27), 10**27, places=10, allow_nan=False, allow_infinity=False)
days = st.dates(dt.date(1900, 1, 1), dt.date(2999, 12, 31))
instants = st.datetimes(
    dt.datetime(1900, 1, 1), dt.datetime(2999, 12, 31), timezones=st.just(dt.UTC)
)
rows = st.tuples(
    st.none() | texts,
    st.none() | st.integers(-(2**63), 2**63 - 1),
    st.none() | amounts,
    st.none() | days,
    st.none() | instants,
    st.none() | st.booleans(),
    st.none() | texts,
)


@pytest.fixture
def connection(engine: sa.Engine) -> Iterator[sa.Connection]:
    with engine.connect() as connection:
        yield connection


@pytest.mark.postgres
@given(examples=st.lists(rows, min_size=1, max_size=20))
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_what_goes_in_comes_out(
    connection: sa.Connection, examples: list[tuple[object, ...]]
) -> None:
    frame = pl.DataFrame(examples, schema=ALL_TYPES.polars_schema, orient="row")

    with staged(connection, frame) as table:
        returned = copy_out(connection, sa.select(table), ALL_TYPES)

    assert returned.equals(frame, null_equal=True)


@pytest.mark.postgres
@given(examples=st.lists(st.none() | texts, min_size=1, max_size=10))
@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_single_column_keeps_its_nulls(
    connection: sa.Connection, examples: list[str | None]
) -> None:
    frame = pl.DataFrame({"text": examples}, schema={"text": pl.String})

    with staged(connection, frame) as table:
        returned = copy_out(connection, sa.select(table), frame.schema)

    assert returned.equals(frame, null_equal=True)


@pytest.mark.postgres
def test_an_empty_answer_keeps_its_types(connection: sa.Connection) -> None:
    with staged(connection, ALL_TYPES.empty()) as table:
        returned = copy_out(connection, sa.select(table), ALL_TYPES)

    assert returned.equals(ALL_TYPES.empty())


@pytest.mark.postgres
def test_parameters_reach_the_statement(connection: sa.Connection) -> None:
    frame = pl.DataFrame(
        {"text": ["it's 100%", "b", "c"], "amount": [Decimal(1), Decimal(2), None]}
    )

    with staged(connection, frame) as table:
        asked = sa.select(table).where(
            table.c.text.in_(["it's 100%", "b"]), table.c.amount < Decimal("1.5")
        )
        returned = copy_out(connection, asked, frame.schema)

    assert returned.get_column("text").to_list() == ["it's 100%"]


@pytest.mark.postgres
def test_other_columns_than_asked_for_are_refused(connection: sa.Connection) -> None:
    asked = sa.select(sa.literal(1).label("one"))

    with pytest.raises(NotCopied, match=r"selected \['one'\]"):
        copy_out(connection, asked, pl.Schema({"two": pl.Int64}))


@pytest.mark.postgres
def test_nothing_is_inserted_from_an_empty_frame(connection: sa.Connection) -> None:
    table = sa.Table("absent", sa.MetaData(), sa.Column("text", sa.Text))

    assert copy_in(connection, table, pl.DataFrame(schema={"text": pl.String})) == 0


def test_a_float_has_no_place_in_the_books() -> None:
    with pytest.raises(NotCopied, match="Float64"):
        sql_type(pl.Series([0.5]).dtype)
