import datetime as dt

import polars as pl
import pytest
import sqlalchemy as sa

from billing_pipeline.books.manifest import add_chunk, partition_paths, replace_partition
from billing_pipeline.books.scope import installation_scope
from billing_pipeline_tests.books.builders import apply, tenant_rows

pytestmark = pytest.mark.postgres

DAY = dt.date(2026, 1, 5)
NEXT = dt.date(2026, 1, 6)


def chunks(**paths: str) -> pl.DataFrame:
    schema = {"chunk": pl.String, "path": pl.String, "rows": pl.Int64, "bytes": pl.Int64}
    rows = [(chunk, path, 5, 100) for chunk, path in paths.items()]
    return pl.DataFrame(rows, schema=schema, orient="row")


def current(connection: sa.Connection, until: dt.date = NEXT) -> list[tuple[object, ...]]:
    found = partition_paths(connection, "rated_usage", "acme", DAY, until)
    return found.select("chunk", "path", "version").rows()


def test_readers_see_the_latest_version_whole(engine: sa.Engine) -> None:
    apply(engine, tenant_rows())
    with installation_scope(engine) as connection:
        replace_partition(connection, "rated_usage", DAY, "acme", chunks(a="1a", b="1b"))
        replace_partition(connection, "rated_usage", NEXT, "acme", chunks(a="other day"))
        assert current(connection) == [("a", "1a", 1), ("b", "1b", 1)]

        replace_partition(connection, "rated_usage", DAY, "acme", chunks(a="2a"))
        assert current(connection) == [("a", "2a", 2)]

        replace_partition(connection, "rated_usage", DAY, "acme", chunks())
        assert current(connection) == []

        replace_partition(connection, "rated_usage", DAY, "acme", chunks(c="3c"))
        assert current(connection) == [("c", "3c", 3)]


def test_batches_add_up_and_a_batch_written_again_replaces_itself(engine: sa.Engine) -> None:
    apply(engine, tenant_rows())
    with installation_scope(engine) as connection:
        add_chunk(connection, "rated_usage", DAY, "acme", chunks(a="1a"))
        add_chunk(connection, "rated_usage", DAY, "acme", chunks(b="1b"))
        add_chunk(connection, "rated_usage", DAY, "acme", chunks(a="2a"))

        assert current(connection) == [("a", "2a", 3), ("b", "1b", 2)]


def test_what_was_replaced_stays_in_history(engine: sa.Engine) -> None:
    apply(engine, tenant_rows())
    with installation_scope(engine) as connection:
        replace_partition(connection, "rated_usage", DAY, "acme", chunks(a="1a"))
        replace_partition(connection, "rated_usage", DAY, "acme", chunks(a="2a"))
        history = connection.execute(
            sa.text("select path, superseded_at is null from lake_partitions order by version")
        ).all()

    assert [tuple(row) for row in history] == [("1a", False), ("2a", True)]
