"""The demo tenants through the whole pipeline: other people's checkers accept their books."""

from pathlib import Path

import dagster as dg
import pytest

from billing_pipeline.books import handoff, summary
from billing_pipeline.books.checks import failing_checks
from billing_pipeline.books.findings import read_findings
from billing_pipeline.books.scope import installation_scope
from billing_pipeline.definitions import defs
from billing_pipeline.orchestration.demo_run import run_demo
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline_tests.accounting.bean_check import complaints, needs_bean_check

pytestmark = [pytest.mark.postgres, pytest.mark.dagster, pytest.mark.slow]


@needs_bean_check
def test_the_books_of_every_demo_tenant_are_accepted(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BILLING_HOME", str(tmp_path))
    monkeypatch.setenv("BILLING_DATABASE_URL", database_url)
    installation = Installation.from_environment()

    run_demo(installation, definitions, events=600, seed=7)

    assert complaints(installation, tmp_path) == {}
    with installation_scope(installation.engine) as connection:
        assert failing_checks(connection) == {}
        found = read_findings(connection, "open")
        booked = summary.journal_summary(connection)
        batches = handoff.read_batches(connection)
    assert "block" not in found["severity"].to_list()
    assert booked["debits_minor"].to_list() == booked["credits_minor"].to_list()
    assert set(batches["tenant_key"]) == set(booked["tenant_key"])
    assert batches["exported_at"].null_count() == 0


def definitions() -> dg.Definitions:
    return defs
