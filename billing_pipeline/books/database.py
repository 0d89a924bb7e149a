"""An engine that reaches the books, wherever they are."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError

from billing_pipeline.books.copy import copy_where_asked

DATABASE = "billing"
DRIVER = "postgresql+psycopg2"


class DatabaseUnreachable(Exception):
    """The books cannot be opened; the message says where they were looked for and why."""


STORAGE_FAULTS = (DatabaseUnreachable, OperationalError, InterfaceError)
"""What a lost or restarting server raises; the same work may succeed a moment later."""


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
    engine = sa.create_engine(address.set(drivername=DRIVER), pool_pre_ping=True)
    sa.event.listen(engine, "connect", _settle_session)
    sa.event.listen(engine, "do_execute", copy_where_asked)
    try:
        with engine.connect():
            return engine
    except OperationalError as error:
        shown = address.render_as_string(hide_password=True)
        raise DatabaseUnreachable(
            f"the books at {shown} cannot be reached: {first_line(error.orig)}"
        ) from error


def _settle_session(connection: Any, _record: object) -> None:  # noqa: ANN401 - driver's own type
    with connection.cursor() as cursor:
        cursor.execute("set timezone to 'UTC'; set datestyle to 'ISO, YMD'")
    connection.commit()


def first_line(error: BaseException | None) -> str:
    """What a driver says first; the rest is hints and addresses."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
