"""Bring the books' schema up to date: forward only, in order, once each, all or nothing."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import sqlalchemy as sa

from billing_pipeline.books.checks import create_views, drop_views
from billing_pipeline.books.sql_files import run_script, sql_folder

# Any constant number: whoever holds it migrates, the others wait.
_LOCK = 7_406_217_552_083

_LEDGER = """
create table if not exists schema_migrations (
    name       text        not null primary key,
    checksum   text        not null,
    applied_at timestamptz not null default clock_timestamp()
)
"""


class MigrationFailed(Exception):
    """A migration does not run on this database; nothing was changed."""


class MigrationRefused(Exception):
    """The database and the migration files disagree; nothing was changed."""


@dataclass(frozen=True)
class Migration:
    """One file of `sql/migrations`."""

    name: str
    statements: str

    @property
    def checksum(self) -> str:
        """Digest that proves an applied file has not been edited since."""
        return hashlib.sha256(self.statements.encode()).hexdigest()


def read_migrations(folder: Path) -> list[Migration]:
    """All migrations of a folder in the order they apply."""
    files = sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql"))
    return [Migration(file.stem, file.read_text(encoding="utf-8")) for file in files]


def migrate(engine: sa.Engine, folder: Path | None = None) -> list[str]:
    """Apply every migration the database does not have yet, then the views; return their names.

    One transaction, so a failing migration leaves nothing behind. The user of `engine` must own
    the database and be allowed to create roles the first time.
    Raises: MigrationRefused, MigrationFailed.
    """
    migrations = read_migrations(folder or sql_folder() / "migrations")
    with engine.begin() as connection:
        connection.execute(sa.text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        run_script(connection, _LEDGER)
        rows = connection.execute(sa.text("select name, checksum from schema_migrations"))
        pending = pending_migrations(migrations, {row.name: row.checksum for row in rows})
        if pending:
            drop_views(connection)  # a view would hold on to the columns a migration changes
        for migration in pending:
            _apply(connection, migration)
        create_views(connection)
    return [migration.name for migration in pending]


def pending_migrations(
    migrations: Sequence[Migration], applied: Mapping[str, str]
) -> list[Migration]:
    """Migrations still to apply, given names and checksums of those applied.

    Raises: MigrationRefused if an applied file was changed or is unknown here, or if a new file
    would have to run before one that already has.
    """
    by_name = {migration.name: migration for migration in migrations}
    unknown = sorted(set(applied) - set(by_name))
    if unknown:
        raise MigrationRefused(
            f"the database has migrations this version does not know: {', '.join(unknown)}; "
            "use the version of billing_pipeline that applied them, or a newer one"
        )
    changed = sorted(name for name in applied if by_name[name].checksum != applied[name])
    if changed:
        raise MigrationRefused(
            f"applied migrations were edited: {', '.join(changed)}; restore the files and put "
            "the change into a new migration"
        )
    pending = [migration for migration in migrations if migration.name not in applied]
    late = [migration.name for migration in pending if migration.name < max(applied, default="")]
    if late:
        raise MigrationRefused(
            f"{', '.join(late)} comes before the last applied {max(applied)}; give it the next "
            "free number"
        )
    return pending


def _apply(connection: sa.Connection, migration: Migration) -> None:
    try:
        run_script(connection, migration.statements)
    except psycopg2.Error as error:
        raise MigrationFailed(f"{migration.name}: {str(error).strip()}") from error
    connection.execute(
        sa.text("insert into schema_migrations (name, checksum) values (:name, :checksum)"),
        {"name": migration.name, "checksum": migration.checksum},
    )
