"""Beancount's own checker over whole books: rules that are not ours, run as a program."""

import datetime as dt
import subprocess
import sys
from pathlib import Path

import pytest

from billing_pipeline.accounting.handoff.hand_off import hand_off
from billing_pipeline.books import catalog, journal
from billing_pipeline.books.scope import installation_scope, tenant_scope
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.facts import read_tenant

PROGRAM = Path(sys.executable).with_name("bean-check")
_NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

needs_bean_check = pytest.mark.skipif(
    not PROGRAM.exists(), reason="beancount is not installed; it is in the group dev"
)


def complaints(installation: Installation, folder: Path) -> dict[str, str]:
    """What bean-check says against each tenant's books; nothing where it accepts them all."""
    with installation_scope(installation.engine) as connection:
        tenants = catalog.tenant_keys(connection)
    ledgers = {key: ledger for key in tenants if (ledger := ledger_of(installation, key))}
    said = {key: _check(ledger, folder / f"{key}.beancount") for key, ledger in ledgers.items()}
    return {key: words for key, words in said.items() if words}


def ledger_of(installation: Installation, tenant_key: str) -> bytes:
    """A tenant's whole journal as a Beancount ledger; empty without entries."""
    with tenant_scope(installation.engine, tenant_key) as connection:
        rows = journal.read_journal(connection, tenant_key)
    tenant = read_tenant(installation, tenant_key)
    files = hand_off(rows, tenant, "beancount", first_batch_number=1, created_at=_NOW)
    return b"".join(file.content for file in files)


def _check(ledger: bytes, file: Path) -> str:
    file.write_bytes(ledger)
    run = subprocess.run([PROGRAM, file], capture_output=True, text=True, check=False)
    return run.stdout + run.stderr if run.returncode else ""
