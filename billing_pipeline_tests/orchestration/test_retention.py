"""Numbers of usage: masked when their time is over, and never in logs or metadata."""

import datetime as dt
import logging
from pathlib import Path

import dagster as dg
import polars as pl
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from billing_pipeline.accounting.periods import monthly_periods, with_state
from billing_pipeline.books import due, manifest
from billing_pipeline.books.audit import read_audit_log
from billing_pipeline.books.catalog import read_accounts
from billing_pipeline.books.checks import failing_checks
from billing_pipeline.books.periods import keep_periods, read_periods
from billing_pipeline.books.retention import DayMasked
from billing_pipeline.books.scope import installation_scope, tenant_scope
from billing_pipeline.cli import billing
from billing_pipeline.definitions import defs
from billing_pipeline.lake import layout
from billing_pipeline.orchestration import retention
from billing_pipeline.orchestration.clock import utc_now
from billing_pipeline.orchestration.configure import apply_folders, read_folders
from billing_pipeline.orchestration.days import EVER
from billing_pipeline.orchestration.flow import Flow
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.partitions import add_tenants
from billing_pipeline.orchestration.reprocess import preview
from billing_pipeline.orchestration.simulate import bill_due_days
from billing_pipeline.orchestration.steps.assure import assure_tenant
from billing_pipeline.orchestration.steps.facts import read_facts
from billing_pipeline.orchestration.steps.load import Loader, NothingToReload
from billing_pipeline.orchestration.steps.register import register_landed_files
from billing_pipeline.orchestration.steps.stale import compute_stale_days
from billing_pipeline.orchestration.trace import trace_invoice
from billing_pipeline_tests.orchestration.test_reprocess import (
    CORRECTED_AT,
    JANUARY,
    flow,
    installation,
    january,
)

__all__ = ["flow", "installation", "january"]

pytestmark = [pytest.mark.dagster, pytest.mark.postgres]

NUMBER = "18005550100"
CALLED_ON = dt.date(2026, 1, 12)
IN_MARCH = dt.datetime(2026, 3, 20, 12, tzinfo=dt.UTC)
LANDED_ON = dt.date(2026, 1, 20)


def keep_for(installation: Installation, january: Path, days: int, at: dt.datetime) -> None:
    """The tenant says how long usage keeps its numbers."""
    folder = next(january.glob("tenants-*"))
    tenant = folder / "acme" / "tenant.yaml"
    text = tenant.read_text().split("retention:")[0]
    tenant.write_text(f"{text}retention: {{mask_usage_after_days: {days}}}\n")
    apply_folders(installation, read_folders(folder), applied_at=at, applied_by="test")


def close_january(installation: Installation) -> None:
    periods = monthly_periods(JANUARY[0], 3)
    with tenant_scope(installation.engine, "acme") as connection:
        keep_periods(connection, "acme", periods, changed_by="test")
        closed = with_state(read_periods(connection, "acme"), JANUARY[0], "closed")
        keep_periods(connection, "acme", closed, changed_by="test")


def files_with(number: str, home: Path, *folders: str) -> list[str]:
    """Files below the home that hold the number, unpacked where they are Parquet."""
    paths = sorted(path for folder in folders for path in (home / folder).rglob("*"))
    return [str(path.relative_to(home)) for path in paths if number in text_of(path)]


def text_of(path: Path) -> str:
    if not path.is_file():
        return ""
    if path.suffix == ".parquet":
        return str(pl.read_parquet(path).rows())
    return path.read_bytes().decode("latin1")


def masked_in_march(installation: Installation, *, by: str = "ann") -> retention.Masking:
    (plan,) = retention.plans(installation, IN_MARCH)
    return retention.mask(installation, plan, IN_MARCH, by=by, note="as tenant.yaml says")


def rated(installation: Installation) -> pl.DataFrame:
    with tenant_scope(installation.engine, "acme") as connection:
        paths = manifest.partition_paths(connection, layout.RATED_USAGE, "acme", *EVER)["path"]
    return pl.concat([pl.read_parquet(installation.lake.locate(path)) for path in paths])


@pytest.fixture
def kept_thirty_days(installation: Installation, january: Path) -> Installation:
    """The copy's register names the copy's files, and the tenant keeps numbers for 30 days."""
    moved = "update usage_files set url = replace(url, :was, :now), "
    moved += "archive_path = replace(archive_path, :was, :now)"
    with installation_scope(installation.engine) as connection:
        connection.execute(sa.text(moved), {"was": str(january), "now": str(installation.home)})
    keep_for(installation, installation.home, 30, CORRECTED_AT)
    return installation


def test_numbers_are_gone_everywhere_and_every_figure_stays(
    kept_thirty_days: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation, home = kept_thirty_days, kept_thirty_days.home
    places = ("lake", "archive", "landing")
    assert files_with(NUMBER, home, *places)
    close_january(installation)
    before = rated(installation)
    shown = CliRunner().invoke(billing, ["retention", "preview"], catch_exceptions=False)
    assert "1 usage day(s) to mask, 2026-01-12 to 2026-01-12" in shown.output

    def killed(*_: object) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(retention, "remove_what_is_left", killed)
        with pytest.raises(KeyboardInterrupt):
            masked_in_march(installation)
    assert files_with(NUMBER, home, *places), "only what is not current any more"
    (left,) = retention.plans(installation, IN_MARCH)
    assert left.is_due, "the schedule asks for what the run that died left"
    again, third = masked_in_march(installation), masked_in_march(installation)

    assert (again.usage_days, again.landing_days, third.files_removed) == (0, 0, 0)
    assert again.files_removed > 0
    assert not any(plan.is_due for plan in retention.plans(installation, IN_MARCH))
    assert files_with(NUMBER, home, *places) == []
    after = rated(installation)
    same = [name for name in before.columns if name not in ("origin", "destination")]
    assert after.select(same).equals(before.select(same))
    bill_due_days(installation, IN_MARCH)
    with installation_scope(installation.engine) as connection:
        assert failing_checks(connection) == {}
        (entry,) = (
            read_audit_log(connection, "acme").filter(pl.col("action") == "masked").rows(named=True)
        )
    assert (entry["actor"], entry["note"]) == ("ann", "as tenant.yaml says")
    assert_it_is_sound_and_says_so(installation)


def assert_it_is_sound_and_says_so(installation: Installation) -> None:
    facts = read_facts(installation, "acme")
    assured = assure_tenant(installation, facts, [dt.date(2026, 2, 1)], IN_MARCH)
    assert assured.of_severity("block").is_empty()
    first, *lines = trace_invoice(installation, "INV-2026-000001", None, limit=3)
    assert first.startswith("numbers of 1 usage days, 2026-01-12 to 2026-01-12, were masked by")
    assert any("calls_january.csv record 1" in line for line in lines)


def test_a_day_that_may_still_change_is_held_and_a_masked_one_never_computed_anew(
    kept_thirty_days: Installation, flow: Flow
) -> None:
    installation = kept_thirty_days
    (plan,) = retention.plans(installation, IN_MARCH)
    assert plan.usage_days.rows() == [(CALLED_ON, "its fiscal month is not closed")]
    close_january(installation)
    with installation_scope(installation.engine) as connection:
        due.touch_usage_days(connection, "acme", [CALLED_ON])
    (plan,) = retention.plans(installation, IN_MARCH)
    assert plan.usage_days.rows() == [(CALLED_ON, "it is not mediated or rated as it should be")]
    assert masked_in_march(installation).usage_days == 0
    compute_stale_days(installation, IN_MARCH)

    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_dynamic_partitions("tenant", ["acme"])
        result = defs.resolve_job_def("mask_usage").execute_in_process(
            instance=instance, partition_key="acme"
        )
    (made,) = result.asset_materializations_for_node("masked_usage")
    assert made.metadata["usage_days"].value == 1
    kept = rated(installation)

    # A revision that would make every day stale, a run over the span, usage that comes late.
    keep_for(installation, installation.home, 31, IN_MARCH)
    flow.rate_span("acme", *JANUARY)
    with installation_scope(installation.engine) as connection:
        due.touch_usage_days(connection, "acme", [CALLED_ON])
        assert due.stale_usage_days(connection).is_empty()
        assert due.stale_rating_days(connection).is_empty()
        assert list(failing_checks(connection)) == ["usage_after_masking"]
    flow.run_days("mediate_usage", [CALLED_ON])
    assert rated(installation).equals(kept)
    with pytest.raises(DayMasked, match="nothing can be computed from it anew"):
        preview(installation, "acme", *JANUARY)
    with pytest.raises(NothingToReload, match="the originals are gone"):
        Loader(installation, IN_MARCH).reload_landing_day("acme", LANDED_ON, by="x", note="y")


def test_no_number_name_or_address_is_in_logs_and_metadata(
    installation: Installation, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.INFO)
    unowned = "18005557777"
    upload = installation.home / "landing" / "acme" / "calls" / "calls_more.csv"
    upload.write_text(
        "call_id,line,started_at,seconds\n"
        f"m1,{unowned},2026-02-03T10:00:00Z,60\n"
        f"m2,{NUMBER},2026-02-03T11:00:00Z,sixty\n"
        f"m3,{NUMBER},2026-02-03T12:00:00Z,60\n"
    )
    register_landed_files(installation, utc_now() + dt.timedelta(days=1), dt.date(2026, 2, 4))
    with dg.DagsterInstance.ephemeral() as instance:
        add_tenants(instance, ["acme"])
        flow = Flow(installation, instance, defs)
        flow.load_and_rate()
        defs.resolve_job_def("watch_suspense").execute_in_process(
            instance=instance, partition_key="acme"
        )
        flow.bill(dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC))
        flow.assure(dt.date(2026, 2, 28))
        runs = instance.get_runs()
        told = [str(log) for run in runs for log in instance.all_logs(run.run_id)]

    printed = capfd.readouterr()
    everything = "\n".join([*told, caplog.text, printed.out, printed.err])
    assert "unknown_identifier" in "".join(told), "metadata of the runs is in it"
    secrets = [unowned, NUMBER, *names_and_addresses(installation)]
    assert [secret for secret in secrets if secret in everything] == []


def names_and_addresses(installation: Installation) -> list[str]:
    with tenant_scope(installation.engine, "acme") as connection:
        accounts = read_accounts(connection, "acme")
    return [
        text
        for name in ("name", "street", "email")
        for text in accounts[name].drop_nulls().to_list()
    ]
