"""A bill run that kills itself before its n-th statement; started by test_kill_bill_run."""

import datetime as dt
import os
import signal
import sys
from pathlib import Path

import sqlalchemy as sa

from billing_pipeline.orchestration.simulate import bill_due_days
from billing_pipeline.orchestration.throwaway import installation_below


def main(home: str, database_url: str, now: str, last_statement: int) -> None:
    """Bill what is due; die before a statement, if there are so many."""
    installation = installation_below(Path(home), database_url)
    statements = 0

    def count(*_: object) -> None:
        nonlocal statements
        statements += 1
        if statements == last_statement:
            os.kill(os.getpid(), signal.SIGKILL)

    sa.event.listen(installation.engine, "before_cursor_execute", count)
    sa.event.listen(installation.engine, "commit", count)
    bill_due_days(installation, dt.datetime.fromisoformat(now))
    sys.stdout.write(f"{statements}\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
