"""A bill run is killed before random statements and started again: the books are the same."""

import datetime as dt
import os
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from billing_pipeline.books.checks import failing_checks
from billing_pipeline.books.scope import installation_scope
from billing_pipeline.orchestration.configure import apply_folders, read_folders
from billing_pipeline.orchestration.extracts import write_extracts
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.simulate import bill_due_days
from billing_pipeline.orchestration.throwaway import installation_below

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

CHECKOUT = Path(__file__).parents[2]
STORY = CHECKOUT / "billing_pipeline_tests" / "scenarios" / "weekly_in_arrears" / "given" / "acme"
APPLIED = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
ENDS = dt.datetime(2026, 2, 10, 12, tzinfo=dt.UTC)
KILLS = 8
ACCOUNTS = 5
SAME = ("charges", "invoices", "invoice_lines", "journal_entries")


def prepared(home: Path, database_url: str) -> Installation:
    """Five customers billed every week, one of whom leaves and one of whom pays for another."""
    folder = home / "given" / "acme"
    shutil.copytree(STORY, folder)
    plan = (folder / "subscriptions.csv").read_text().splitlines()[1].split(",")[2]
    rows = [
        f"A-{n},Customer,2026-01-0{n},{'A-1' if n == 2 else ''},1 Road,Town,1,US" for n in NUMBERS
    ]
    (folder / "accounts.csv").write_text(
        "\n".join(
            ["account_key,name,opened_on,payer_key,street,city,postal_code,country", *rows, ""]
        )
    )
    subscribed = [f"S-{n},A-{n},{plan},2026-01-0{n},{LEFT if n == 3 else ''}" for n in NUMBERS]
    (folder / "subscriptions.csv").write_text(
        "\n".join(["subscription_key,account_key,plan_key,started_on,ended_on", *subscribed, ""])
    )
    for name in ("usage", "service_identifiers.csv", "feeds"):
        path = folder / name
        shutil.rmtree(path, ignore_errors=True)
        path.unlink(missing_ok=True)
    installation = installation_below(home, database_url)
    apply_folders(installation, read_folders(folder), applied_at=APPLIED, applied_by="test")
    return installation


NUMBERS = range(1, ACCOUNTS + 1)
LEFT = "2026-01-20"


def bill_in_a_process(home: Path, database_url: str, last_statement: int) -> int:
    """Exit code of a bill run that dies before a statement."""
    module = "billing_pipeline_tests.orchestration.bill_until_killed"
    return subprocess.run(
        [
            sys.executable,
            "-m",
            module,
            str(home),
            database_url,
            ENDS.isoformat(),
            str(last_statement),
        ],
        check=False,
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        stdout=subprocess.DEVNULL,
    ).returncode


def books(installation: Installation, out: Path) -> dict[str, bytes]:
    write_extracts(installation, out)
    return {name: (out / f"{name}.csv").read_bytes() for name in SAME}


def test_killed_bill_runs_leave_the_books_of_one_that_was_not(
    database_url: str, second_database_url: str, tmp_path: Path
) -> None:
    whole = prepared(tmp_path / "whole", second_database_url)
    bill_due_days(whole, ENDS)
    killed = prepared(tmp_path / "killed", database_url)
    moments = random.Random(11)  # noqa: S311 - the moments of death are to be repeatable

    for _ in range(KILLS):
        code = bill_in_a_process(killed.home, database_url, moments.randint(2, 120))
        assert code == -signal.SIGKILL
    assert bill_in_a_process(killed.home, database_url, 0) == 0

    assert books(killed, tmp_path / "out" / "killed") == books(whole, tmp_path / "out" / "whole")
    with installation_scope(killed.engine) as connection:
        assert failing_checks(connection) == {}
