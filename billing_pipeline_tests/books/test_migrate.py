from pathlib import Path

import pytest
import sqlalchemy as sa

from billing_pipeline.books.migrate import (
    Migration,
    MigrationFailed,
    MigrationRefused,
    migrate,
    pending_migrations,
    read_migrations,
)
from billing_pipeline.books.sql_files import sql_folder

FIRST, SECOND = Migration("0001_a", "select 1"), Migration("0002_b", "select 2")


def test_what_is_applied_is_not_pending() -> None:
    assert pending_migrations([FIRST, SECOND], {}) == [FIRST, SECOND]
    assert pending_migrations([FIRST, SECOND], {"0001_a": FIRST.checksum}) == [SECOND]


@pytest.mark.parametrize(
    ("applied", "complaint"),
    [
        pytest.param({"0001_a": "edited"}, "edited: 0001_a", id="changed after it was applied"),
        pytest.param({"0009_z": "?"}, "does not know: 0009_z", id="database is newer"),
        pytest.param(
            {"0002_b": SECOND.checksum}, "0001_a comes before the last applied 0002_b", id="late"
        ),
    ],
)
def test_disagreement_is_refused(applied: dict[str, str], complaint: str) -> None:
    with pytest.raises(MigrationRefused, match=complaint):
        pending_migrations([FIRST, SECOND], applied)


def test_migrations_have_rising_numbers_of_their_own_and_say_what_they_are_for() -> None:
    migrations = read_migrations(sql_folder() / "migrations")
    numbers = [migration.name.split("_", 1)[0] for migration in migrations]

    assert numbers == sorted({number for number in numbers if len(number) == 4})
    for number, migration in zip(numbers, migrations, strict=True):
        assert migration.statements.startswith(f"-- {number} ")


@pytest.mark.postgres
def test_migrating_twice_changes_nothing(engine: sa.Engine) -> None:
    assert migrate(engine) == []


@pytest.mark.postgres
def test_a_failing_migration_leaves_nothing_behind(engine: sa.Engine, tmp_path: Path) -> None:
    for migration in read_migrations(sql_folder() / "migrations"):
        (tmp_path / f"{migration.name}.sql").write_text(migration.statements)
    (tmp_path / "8000_good.sql").write_text("create table good (id int)")
    (tmp_path / "9000_bad.sql").write_text("create table bad (id int); select 1/0")

    with pytest.raises(MigrationFailed, match="9000_bad: division by zero"):
        migrate(engine, tmp_path)

    assert not {"good", "bad"} & set(sa.inspect(engine).get_table_names())
    (tmp_path / "9000_bad.sql").unlink()
    assert migrate(engine, tmp_path) == ["8000_good"]
    assert "trial_balance" in sa.inspect(engine).get_view_names()


@pytest.mark.postgres
def test_an_edited_migration_is_refused_by_the_database(engine: sa.Engine, tmp_path: Path) -> None:
    for migration in read_migrations(sql_folder() / "migrations"):
        (tmp_path / f"{migration.name}.sql").write_text(migration.statements + "\n-- edited")

    with pytest.raises(MigrationRefused, match="0001_tenants"):
        migrate(engine, tmp_path)


@pytest.mark.postgres
def test_the_owner_need_not_be_superuser(engine: sa.Engine) -> None:
    database = "owned_by_clerk"
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as server:
        server.execute(sa.text("create role owning_clerk login createrole"))
        server.execute(
            sa.text(
                "grant billing_app, billing_operator, billing_reader, billing_finance "
                "to owning_clerk with admin option, set true"
            )
        )
        server.execute(sa.text(f"create database {database} owner owning_clerk"))
    owner = sa.create_engine(engine.url.set(username="owning_clerk", database=database))
    try:
        assert len(migrate(owner)) >= 7
    finally:
        owner.dispose()
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as server:
            server.execute(sa.text(f"drop database {database} with (force)"))
            server.execute(sa.text("drop role owning_clerk"))
