"""A bill run is killed without warning at any moment: the books show all of it or nothing."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import sqlalchemy as sa

from billing_pipeline.books.checks import failing_checks
from billing_pipeline.books.invoices import read_invoices
from billing_pipeline.books.journal import read_journal
from billing_pipeline.books.scope import installation_scope, tenant_scope
from billing_pipeline_tests.books.builders import apply, tenant_rows
from billing_pipeline_tests.books.issue_blocks import BLOCK

pytestmark = [pytest.mark.postgres, pytest.mark.slow]

RUNS_KILLED = 6
_CHECKOUT = str(Path(__file__).parents[2])


def start_issuing(database_url: str) -> "subprocess.Popen[str]":
    """Issue block after block in a process of its own, which says when a block is out."""
    return subprocess.Popen(
        [sys.executable, "-m", "billing_pipeline_tests.books.issue_blocks", database_url],
        cwd=_CHECKOUT,
        env={**os.environ, "PYTHONPATH": _CHECKOUT},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_killed_issuers_leave_no_gap_and_no_half_document(
    engine: sa.Engine, database_url: str
) -> None:
    apply(engine, tenant_rows())
    moments = random.Random(7)  # noqa: S311 - the moments of death are to be repeatable
    for _ in range(RUNS_KILLED):
        issuer = start_issuing(database_url)
        assert issuer.stdout is not None
        assert issuer.stdout.readline() == "issued\n"
        time.sleep(moments.uniform(0, 0.5))
        issuer.send_signal(signal.SIGKILL)
        issuer.wait()
        issuer.stdout.close()

    with installation_scope(engine) as connection:
        assert failing_checks(connection) == {}
    with tenant_scope(engine, "acme") as connection:
        issued = read_invoices(connection, "acme").get_column("invoice_number")
        booked = read_journal(connection, "acme").get_column("source_key")
    assert set(issued) == {f"INV-{number}" for number in range(1, issued.len() + 1)}
    assert issued.len() >= RUNS_KILLED * BLOCK
    assert set(booked) == set(issued)


def test_issuers_that_run_and_die_side_by_side_leave_no_gap(
    engine: sa.Engine, database_url: str
) -> None:
    apply(engine, tenant_rows())
    moments = random.Random(11)  # noqa: S311 - the moments of death are to be repeatable
    issuers = [start_issuing(database_url) for _ in range(3)]
    for issuer in issuers:
        assert issuer.stdout is not None
        assert issuer.stdout.readline() == "issued\n"
    for issuer in issuers:
        time.sleep(moments.uniform(0, 0.5))
        issuer.send_signal(signal.SIGKILL)
        issuer.wait()
        if issuer.stdout is not None:
            issuer.stdout.close()

    with tenant_scope(engine, "acme") as connection:
        issued = read_invoices(connection, "acme").get_column("invoice_number")
    assert issued.len() >= 3 * BLOCK
    assert sorted(issued) == sorted(f"INV-{number}" for number in range(1, issued.len() + 1))
