"""The Dagster instance of an installation: its home, its storage in our Postgres, its start."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import sqlalchemy as sa

from billing_pipeline.orchestration.installation import Installation

STORAGE_VARIABLE = "BILLING_DAGSTER_URL"
_SCHEMA = "dagster"
_MARK = "storage_is_whole"
_STATEMENT_TIMEOUT_MS = 120_000
_RECYCLED_AFTER_S = 1_800
_UNFINISHED = [
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def prepare_dagster_home(installation: Installation) -> Path:
    """Make DAGSTER_HOME usable: its configuration, and its storage beside the books.

    DAGSTER_HOME is respected if set, else it is the installation's `dagster` folder. The
    storage's address goes to this process's environment, where `dagster.yaml` reads it.
    """
    home = Path(os.environ.get("DAGSTER_HOME") or installation.home / "dagster").resolve()
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "dagster.yaml").exists():
        shutil.copyfile(_shipped_configuration(), home / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(home)
    # Fewer round trips: a month of partitions is hundreds of events.
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "200")
    os.environ[STORAGE_VARIABLE] = _storage_url(installation)
    return home


def open_instance(installation: Installation) -> dg.DagsterInstance:
    """The prepared instance, in this process."""
    prepare_dagster_home(installation)
    with _whole_storage(installation):
        instance = dg.DagsterInstance.get()
    keep_connections(instance)
    return instance


@contextmanager
def _whole_storage(installation: Installation) -> Iterator[None]:
    """Have Dagster's tables made whole: what a killed first start left half made is made anew.

    Dagster makes its tables one by one and never mends a half. A mark says that they were all
    made; without it, and without a run, nothing can be lost by starting over.
    """
    with installation.engine.connect().execution_options(
        isolation_level="AUTOCOMMIT"
    ) as connection:
        connection.execute(sa.text("select pg_advisory_lock(hashtext('dagster storage'))"))
        try:
            is_whole = _is_marked(connection)
            if not is_whole and not _has_runs(connection):
                connection.execute(sa.text(f"drop schema if exists {_SCHEMA} cascade"))
                connection.execute(sa.text(f"create schema {_SCHEMA}"))
            yield
            if not is_whole:
                connection.execute(sa.text(f"create table {_SCHEMA}.{_MARK} ()"))
        finally:
            connection.execute(sa.text("select pg_advisory_unlock(hashtext('dagster storage'))"))


def _is_marked(connection: sa.Connection) -> bool:
    return sa.inspect(connection).has_table(_MARK, schema=_SCHEMA)


def _has_runs(connection: sa.Connection) -> bool:
    if not sa.inspect(connection).has_table("runs", schema=_SCHEMA):
        return False
    any_run = sa.text(f"select exists (select from {_SCHEMA}.runs)")  # noqa: S608 - a constant
    return bool(connection.execute(any_run).scalar_one())


def keep_connections(instance: dg.DagsterInstance) -> None:
    """Have Dagster's storage keep its connections open in this process.

    Postgres storage otherwise connects anew about eleven times for every event it writes, which
    is most of what a run over a month of partitions costs.
    """
    instance.optimize_for_webserver(
        statement_timeout=_STATEMENT_TIMEOUT_MS, pool_recycle=_RECYCLED_AFTER_S, max_overflow=4
    )


def fail_abandoned_runs(instance: dg.DagsterInstance) -> int:
    """Mark runs that a crash of the whole machine left unfinished. Single host, at start only."""
    abandoned = instance.get_runs(dg.RunsFilter(statuses=_UNFINISHED))
    for run in abandoned:
        instance.report_run_failed(run, "The machine stopped while this run was going on.")
    return len(abandoned)


def _storage_url(installation: Installation) -> str:
    """Dagster's tables stand in a schema of their own in the database of the books."""
    with installation.engine.begin() as connection:
        connection.execute(sa.text(f"create schema if not exists {_SCHEMA}"))
    url = installation.engine.url.set(drivername="postgresql+psycopg2")
    return url.update_query_dict({"options": f"-csearch_path={_SCHEMA}"}).render_as_string(
        hide_password=False
    )


def _shipped_configuration() -> Path:
    checkout = Path(__file__).parents[2] / "dagster.yaml"
    return checkout if checkout.exists() else Path(__file__).with_name("dagster.yaml")
