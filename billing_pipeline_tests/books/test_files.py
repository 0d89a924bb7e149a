import datetime as dt
from decimal import Decimal

import polars as pl
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from billing_pipeline.books.due import record_mediated, stale_usage_days
from billing_pipeline.books.files import (
    FileNotInState,
    discard_file,
    file_by_key,
    files_of_usage_day,
    read_files,
    record_archived,
    record_loaded,
    record_refused,
    register_uploads,
    release_file,
    reload_files,
    unloaded_files,
    unloaded_landing_days,
)
from billing_pipeline.books.scope import UnknownTenant, installation_scope
from billing_pipeline_tests.books.builders import NOON, apply, tenant_rows

pytestmark = pytest.mark.postgres

DAY = dt.date(2026, 1, 5)
USED = dt.date(2026, 1, 4)


def uploads(*names: str, tenant_key: str = "acme", etag: str = "1") -> pl.DataFrame:
    return pl.DataFrame(
        {
            "tenant_key": tenant_key,
            "feed_key": "cdr",
            "url": [f"file:///landing/{name}" for name in names],
            "name": list(names),
            "size_bytes": pl.Series([10] * len(names), dtype=pl.Int64),
            "etag": etag,
            "landed_at": pl.Series([NOON] * len(names), dtype=pl.Datetime("us", "UTC")),
        }
    )


def days(*usage_days: dt.date) -> pl.DataFrame:
    return pl.DataFrame({"usage_day": usage_days, "records": [1] * len(usage_days)})


def load(connection: sa.Connection, file_id: int, *usage_days: dt.date) -> None:
    count = len(usage_days)
    record_loaded(
        connection,
        file_id,
        records=count,
        accepted=count,
        suspended=0,
        filtered=0,
        quantity=Decimal(60),
        usage_days=days(*usage_days),
    )


@pytest.fixture
def books(engine: sa.Engine) -> sa.Engine:
    apply(engine, tenant_rows())
    return engine


def test_listing_the_landing_zone_twice_registers_nothing_twice(books: sa.Engine) -> None:
    with installation_scope(books) as connection:
        assert register_uploads(connection, uploads("a", "b"), DAY) == 2
        assert register_uploads(connection, uploads("a", "b", "c"), DAY) == 1
        assert register_uploads(connection, uploads("a", etag="2"), DAY) == 1
        assert unloaded_landing_days(connection) == [DAY]
        waiting = unloaded_files(connection, DAY, 10)
        assert waiting.get_column("name").to_list() == ["a", "b", "c", "a"]
        assert unloaded_files(connection, None, 2).height == 2
        assert unloaded_files(connection, USED, 2).is_empty()


def test_a_folder_of_no_tenant_is_named(books: sa.Engine) -> None:
    with (
        pytest.raises(UnknownTenant, match="acne"),
        installation_scope(books) as connection,
    ):
        register_uploads(connection, uploads("a", tenant_key="acne"), DAY)


def test_the_same_content_under_another_name_is_a_duplicate(books: sa.Engine) -> None:
    with installation_scope(books) as connection:
        register_uploads(connection, uploads("a", "b"), DAY)
        first, second = unloaded_files(connection, None, 2).get_column("file_id")

        assert record_archived(connection, first, file_key="k", archive_path="x/k")
        assert record_archived(connection, first, file_key="k", archive_path="x/k")
        assert not record_archived(connection, second, file_key="k", archive_path="x/k")

        assert read_files(connection, "duplicate").get_column("name").to_list() == ["b"]
        found = file_by_key(connection, "k")
        assert found is not None
        assert (found.name, found.state) == ("a", "archived")
        assert file_by_key(connection, "unknown") is None


def test_a_loaded_file_makes_its_usage_days_stale(books: sa.Engine) -> None:
    with installation_scope(books) as connection:
        register_uploads(connection, uploads("a"), DAY)
        file_id = unloaded_files(connection, None, 1).item(0, "file_id")
        record_archived(connection, file_id, file_key="k", archive_path="x/k")
        load(connection, file_id, USED, DAY)

        assert unloaded_files(connection, None, 1).is_empty()
        assert stale_usage_days(connection).rows() == [("acme", USED, 1), ("acme", DAY, 1)]
        assert files_of_usage_day(connection, "acme", USED).rows() == [("k", DAY)]
        assert files_of_usage_day(connection, "acme", NOON.date()).is_empty()


def test_a_file_loaded_again_touches_the_days_it_left_too(books: sa.Engine) -> None:
    with installation_scope(books) as connection:
        register_uploads(connection, uploads("a"), DAY)
        file_id = unloaded_files(connection, None, 1).item(0, "file_id")
        record_archived(connection, file_id, file_key="k", archive_path="x/k")
        load(connection, file_id, USED)
        record_mediated(connection, "acme", USED, 1, ["acme"])
        assert stale_usage_days(connection).is_empty()

        assert reload_files(connection, "acme", DAY, reloaded_by="ann", note="new feed") == 1
        assert unloaded_files(connection, None, 1).item(0, "file_id") == file_id
        load(connection, file_id, DAY)

        assert stale_usage_days(connection).rows() == [("acme", USED, 2), ("acme", DAY, 1)]
        assert files_of_usage_day(connection, "acme", USED).is_empty()


def test_a_file_that_does_not_add_up_is_not_loaded(books: sa.Engine) -> None:
    with installation_scope(books) as connection:
        register_uploads(connection, uploads("a"), DAY)

    with (
        pytest.raises(DBAPIError, match="usage_files_conserved"),
        installation_scope(books) as connection,
    ):
        record_loaded(
            connection,
            1,
            records=3,
            accepted=1,
            suspended=1,
            filtered=0,
            quantity=Decimal(0),
            usage_days=days(USED),
        )


def test_people_release_or_discard_what_was_refused(books: sa.Engine) -> None:
    with installation_scope(books) as connection:
        register_uploads(connection, uploads("a", "b"), DAY)
        first, second = unloaded_files(connection, None, 2).get_column("file_id")
        for file_id in (first, second):
            record_refused(
                connection, file_id, state="quarantined", reason="no_header", message="no header"
            )
        assert unloaded_files(connection, None, 2).is_empty()

        release_file(connection, first, released_by="ann", note="feed mended")
        discard_file(connection, second, discarded_by="bob", note="a test file")

        assert unloaded_files(connection, None, 2).get_column("file_id").to_list() == [first]
        decided = read_files(connection).select("state", "reason", "decided_by", "decision_note")
        assert decided.rows() == [
            ("landed", "no_header", "ann", "feed mended"),
            ("discarded", "no_header", "bob", "a test file"),
        ]


def test_only_what_was_refused_can_be_discarded(books: sa.Engine) -> None:
    with installation_scope(books) as connection:
        register_uploads(connection, uploads("a"), DAY)

    with (
        pytest.raises(FileNotInState, match=r"\(a\) is landed, not empty or quarantined"),
        installation_scope(books) as connection,
    ):
        discard_file(connection, 1, discarded_by="bob", note="")


def test_a_file_nobody_registered_is_named(books: sa.Engine) -> None:
    with (
        pytest.raises(FileNotInState, match="no usage file 7"),
        installation_scope(books) as connection,
    ):
        record_archived(connection, 7, file_key="k", archive_path="k")
