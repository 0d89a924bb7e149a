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
    landed_days_of_usage,
    read_files,
    register_uploads,
    release_file,
    reload_files,
    unloaded_files,
    unloaded_landing_days,
)
from billing_pipeline.books.loading import (
    record_archived,
    record_loaded,
    record_refused,
    replace_deliveries,
)
from billing_pipeline.books.scope import UnknownTenant, installation_scope
from billing_pipeline.books.usage_schema import FILE_DAYS, LOADED_FILES, REFUSED_FILES
from billing_pipeline_tests.books.builders import (
    NOON,
    apply,
    archive_file,
    load_registered,
    tenant_rows,
)

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


def refuse(connection: sa.Connection, *file_ids: int) -> None:
    refused = pl.DataFrame(
        [(file_id, "quarantined", "no_header", "no header") for file_id in file_ids],
        schema=REFUSED_FILES.polars_schema,
        orient="row",
    )
    record_refused(connection, "acme", refused)


@pytest.fixture
def books(engine: sa.Engine) -> sa.Engine:
    apply(engine, tenant_rows())
    return engine


def landed(connection: sa.Connection, day: dt.date) -> list[tuple[object, ...]]:
    """Between which landing days raw usage has records of a usage day."""
    return landed_days_of_usage(connection, "acme", day, day + dt.timedelta(days=1)).rows()


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

        assert archive_file(connection, "acme", first, "k") == (False, False)
        assert archive_file(connection, "acme", first, "k") == (False, False)
        assert archive_file(connection, "acme", second, "k") == (True, False)

        assert read_files(connection, "duplicate").get_column("name").to_list() == ["b"]
        found = file_by_key(connection, "k")
        assert found is not None
        assert (found.name, found.state) == ("a", "archived")
        assert file_by_key(connection, "unknown") is None


def test_a_loaded_file_makes_its_usage_days_stale(books: sa.Engine) -> None:
    with installation_scope(books) as connection:
        register_uploads(connection, uploads("a"), DAY)
        file_id = unloaded_files(connection, None, 1).item(0, "file_id")
        archive_file(connection, "acme", file_id, "k")
        load_registered(connection, "acme", file_id, USED, DAY)

        assert unloaded_files(connection, None, 1).is_empty()
        assert stale_usage_days(connection).rows() == [("acme", USED, 1), ("acme", DAY, 1)]
        assert landed(connection, USED) == [(USED, DAY, DAY)]
        assert landed(connection, NOON.date()) == []


def test_a_file_loaded_again_touches_the_days_it_left_too(books: sa.Engine) -> None:
    with installation_scope(books) as connection:
        register_uploads(connection, uploads("a"), DAY)
        file_id = unloaded_files(connection, None, 1).item(0, "file_id")
        archive_file(connection, "acme", file_id, "k")
        load_registered(connection, "acme", file_id, USED)
        record_mediated(connection, "acme", USED, 1, ["acme"])
        assert stale_usage_days(connection).is_empty()

        assert reload_files(connection, "acme", DAY, reloaded_by="ann", note="new feed") == 1
        assert unloaded_files(connection, None, 1).item(0, "file_id") == file_id
        load_registered(connection, "acme", file_id, DAY)

        assert stale_usage_days(connection).rows() == [("acme", USED, 2), ("acme", DAY, 1)]
        assert landed(connection, USED) == []


def test_a_file_that_does_not_add_up_is_not_loaded(books: sa.Engine) -> None:
    with installation_scope(books) as connection:
        register_uploads(connection, uploads("a"), DAY)

    with (
        pytest.raises(DBAPIError, match="usage_files_conserved"),
        installation_scope(books) as connection,
    ):
        record_loaded(connection, "acme", loaded(records=3, accepted=1), FILE_DAYS.empty())


def test_a_file_whose_quantity_is_not_kept_is_not_loaded(books: sa.Engine) -> None:
    with installation_scope(books) as connection:
        register_uploads(connection, uploads("a"), DAY)

    with (
        pytest.raises(DBAPIError, match="usage_files_quantity_conserved"),
        installation_scope(books) as connection,
    ):
        record_loaded(connection, "acme", loaded(kept=Decimal(59)), FILE_DAYS.empty())


def loaded(records: int = 1, accepted: int = 1, kept: Decimal = Decimal(60)) -> pl.DataFrame:
    return pl.DataFrame(
        [(1, records, accepted, 0, 0, Decimal(60), kept, None)],
        schema=LOADED_FILES.polars_schema,
        orient="row",
    )


def test_of_many_files_the_first_of_each_content_stands(books: sa.Engine) -> None:
    with installation_scope(books) as connection:
        register_uploads(connection, uploads("a", "b", "c"), DAY)
        archived = pl.DataFrame(
            {"file_id": [1, 2, 3], "file_key": ["k", "k", "l"], "archive_path": ["x", "x", "y"]}
        )

        verdicts = record_archived(connection, "acme", archived)

        assert verdicts.sort("file_id")["is_duplicate"].to_list() == [False, True, False]
        states = read_files(connection)["state"].to_list()
        assert states == ["archived", "duplicate", "archived"]


def test_a_name_that_was_loaded_with_other_content_is_told(books: sa.Engine) -> None:
    with installation_scope(books) as connection:
        register_uploads(connection, uploads("a"), DAY)
        archive_file(connection, "acme", 1, "k")
        load_registered(connection, "acme", 1, USED)
        register_uploads(connection, uploads("a", etag="2"), DAY)

        assert archive_file(connection, "acme", 2, "l") == (False, True)


def test_a_replaced_file_makes_its_days_stale_and_may_stand_again(books: sa.Engine) -> None:
    with installation_scope(books) as connection:
        register_uploads(connection, uploads("a"), DAY)
        archive_file(connection, "acme", 1, "k")
        load_registered(connection, "acme", 1, USED)
        record_mediated(connection, "acme", USED, 1, ["acme"])

        assert replace_deliveries(connection, "acme", replaced=[1], standing=[]) == 1
        assert replace_deliveries(connection, "acme", replaced=[1], standing=[]) == 0
        assert stale_usage_days(connection).rows() == [("acme", USED, 2)]
        assert read_files(connection)["state"].to_list() == ["superseded"]
        assert landed(connection, USED) == [(USED, DAY, DAY)]

        assert replace_deliveries(connection, "acme", replaced=[], standing=[1]) == 1
        assert read_files(connection)["state"].to_list() == ["loaded"]


def test_people_release_or_discard_what_was_refused(books: sa.Engine) -> None:
    with installation_scope(books) as connection:
        register_uploads(connection, uploads("a", "b"), DAY)
        first, second = unloaded_files(connection, None, 2).get_column("file_id")
        refuse(connection, first, second)
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
        pytest.raises(FileNotInState, match="usage file 7 does not wait"),
        installation_scope(books) as connection,
    ):
        archive_file(connection, "acme", 7, "k")
