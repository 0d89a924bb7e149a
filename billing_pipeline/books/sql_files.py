"""The folder `sql` and how a file of statements runs."""

from pathlib import Path

import sqlalchemy as sa


def sql_folder() -> Path:
    """The folder `sql`: inside the installed package, or at the top of a checkout."""
    installed = Path(__file__).parent / "sql"
    return installed if installed.is_dir() else Path(__file__).parents[2] / "sql"


def run_script(connection: sa.Connection, statements: str) -> None:
    """Run a file of SQL statements as it stands: no parameters, `%` means `%`."""
    cursor = connection.connection.cursor()
    try:
        cursor.execute(statements)
    finally:
        cursor.close()
