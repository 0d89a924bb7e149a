"""The rules that must hold over all rows (`sql/checks`) and the views people read (`sql/views`)."""

import hashlib
from collections.abc import Collection
from pathlib import Path

import polars as pl
import sqlalchemy as sa

from billing_pipeline.assurance.schema import ACCOUNT_FINDINGS
from billing_pipeline.books.sql_files import run_script, sql_folder

_READERS = "billing_app, billing_operator, billing_reader, billing_finance"

# A view carries the digest of its file as comment.
_MARKS = sa.text("""
    select relname, coalesce(obj_description(oid, 'pg_class'), '') from pg_class
    where relkind = 'v' and relnamespace = 'public'::regnamespace order by relname
""")


def failing_checks(
    connection: sa.Connection, names: Collection[str] | None = None
) -> dict[str, pl.DataFrame]:
    """The rows of every check that returns any, by the check's file name; all text, for people.

    Checks see what the connection's scope sees: a tenant with its subtree, or everything.
    `names` asks only some of them, for a moment at which the others cannot hold yet.
    """
    found = {
        check.stem: _answer(connection, check.read_text(encoding="utf-8"))
        for check in _check_files()
        if names is None or check.stem in names
    }
    return {name: rows for name, rows in found.items() if rows.height}


def check_findings(connection: sa.Connection, tenant_key: str) -> tuple[list[str], pl.DataFrame]:
    """The names of all checks, and the ACCOUNT_FINDINGS of those that fail for one tenant.

    All block; what else a tenant wants of them the catalogue of controls says.
    """
    files = _check_files()
    found = [ACCOUNT_FINDINGS.empty()]
    for file in files:
        rows = _answer(connection, file.read_text(encoding="utf-8"))
        rows = rows.filter(pl.col("tenant_key") == tenant_key)
        account = "account_key" if "account_key" in rows.columns else pl.lit(None, pl.String)
        found.append(
            rows.select(
                "subject",
                "message",
                control=pl.lit(file.stem),
                severity=pl.lit("block"),
                account_key=account,
            ).select(ACCOUNT_FINDINGS.names)
        )
    return [file.stem for file in files], ACCOUNT_FINDINGS.conform(pl.concat(found))


def create_views(connection: sa.Connection) -> list[str]:
    """Make the views of `sql/views` if any is missing or another; return their names.

    They show to each role what its own row-level security lets it see. Needs the owner.
    """
    views = {file.stem: file.read_text(encoding="utf-8") for file in _view_files()}
    marks = {name: hashlib.sha256(query.encode()).hexdigest() for name, query in views.items()}
    there = connection.execute(_MARKS).all()
    if {name: mark for name, mark in there} == marks:  # noqa: C416 - rows are no pairs to mypy
        return list(views)
    drop_views(connection)
    for name, query in views.items():
        run_script(connection, query)
        run_script(connection, f"grant select on {name} to {_READERS}")
        run_script(connection, f"comment on view {name} is '{marks[name]}'")
    return list(views)


def drop_views(connection: sa.Connection) -> None:
    """Drop all views of the books."""
    for name, _ in connection.execute(_MARKS).all():
        run_script(connection, f'drop view if exists "{name}" cascade')


def _check_files() -> list[Path]:
    return sorted((sql_folder() / "checks").glob("*.sql"))


def _view_files() -> list[Path]:
    return sorted((sql_folder() / "views").glob("*.sql"))


def _answer(connection: sa.Connection, query: str) -> pl.DataFrame:
    rows = connection.execute(sa.text(query))
    names = list(rows.keys())
    values = [[None if value is None else str(value) for value in row] for row in rows]
    return pl.DataFrame(values, schema=dict.fromkeys(names, pl.String), orient="row")
