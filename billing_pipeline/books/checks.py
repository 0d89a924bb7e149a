"""The rules that must hold over all rows (`sql/checks`) and the views people read (`sql/views`)."""

import polars as pl
import sqlalchemy as sa

from billing_pipeline.books.migrate import run_script, sql_folder

_READERS = "billing_app, billing_operator, billing_reader"


def failing_checks(connection: sa.Connection) -> dict[str, pl.DataFrame]:
    """The rows of every check that returns any, by the check's file name; all text, for people.

    Checks see what the connection's scope sees: run them for the whole installation.
    """
    found = {
        check.stem: _answer(connection, check.read_text(encoding="utf-8"))
        for check in sorted((sql_folder() / "checks").glob("*.sql"))
    }
    return {name: rows for name, rows in found.items() if rows.height}


def create_views(connection: sa.Connection) -> list[str]:
    """Make the views of `sql/views` anew, in the order of their names; return the names.

    They show to each role what its own row-level security lets it see. Needs the owner.
    """
    views = sorted((sql_folder() / "views").glob("*.sql"))
    for view in reversed(views):
        run_script(connection, f"drop view if exists {view.stem}")
    for view in views:
        run_script(connection, view.read_text(encoding="utf-8"))
        run_script(connection, f"grant select on {view.stem} to {_READERS}")
    return [view.stem for view in views]


def _answer(connection: sa.Connection, query: str) -> pl.DataFrame:
    rows = connection.execute(sa.text(query))
    names = list(rows.keys())
    values = [[None if value is None else str(value) for value in row] for row in rows]
    return pl.DataFrame(values, schema=dict.fromkeys(names, pl.String), orient="row")
