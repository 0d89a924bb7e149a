"""The lives of suspended records through the steps: found, recycled, written off, traced."""

import datetime as dt
import shutil
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from billing_pipeline.books import audit, conservation, due, suspense
from billing_pipeline.books.scope import installation_scope
from billing_pipeline.intake.tenant_folder import read_tenant_folder
from billing_pipeline.orchestration.configure import apply_folders
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.simulate import simulate
from billing_pipeline.orchestration.steps.stale import compute_stale_days
from billing_pipeline.orchestration.suspense import Choice, grouped, read_lives, with_details
from billing_pipeline.orchestration.suspense_actions import (
    Decision,
    NothingChosen,
    recycle,
    worth,
    write_off,
)
from billing_pipeline.orchestration.suspense_watch import tenant_suspense
from billing_pipeline.orchestration.throwaway import installation_below
from billing_pipeline.orchestration.trace import trace_invoice

pytestmark = pytest.mark.postgres

STORY = Path(__file__).parents[1] / "scenarios" / "an_unknown_number_is_found" / "given"
FEBRUARY = dt.date(2026, 2, 1)
MARCH = dt.date(2026, 3, 1)
TENTH = dt.datetime(2026, 2, 10, 12, tzinfo=dt.UTC)
DECISION = Decision("ann", TENTH, "a test number")


@pytest.fixture
def installation(tmp_path: Path, database_url: str) -> Installation:
    return installation_below(tmp_path, database_url)


def play_january(installation: Installation, tmp_path: Path) -> None:
    """The story up to its first bill: ten calls of ten minutes wait for their owner."""
    given = tmp_path / "given"
    shutil.copytree(STORY / "acme", given / "acme")
    simulate(installation, given, FEBRUARY, tmp_path / "out")


def mend(installation: Installation) -> None:
    mended = read_tenant_folder(STORY / "acme@2026-02-10")
    apply_folders(installation, [mended], applied_at=TENTH, applied_by="test")


def test_what_waits_is_listed_with_its_age_text_and_reason(
    installation: Installation, tmp_path: Path
) -> None:
    play_january(installation, tmp_path)

    lives = read_lives(installation, Choice())
    assert lives.select("state", "reason", "attempts").unique().rows() == [
        ("open", "unknown_identifier", 1)
    ]
    groups = grouped(lives, "identifier")
    assert groups.select("service_identifier", "records", "unvalued").rows() == [
        ("18005550100", 10, 10)
    ]
    shown = with_details(installation, lives.head(1)).row(0, named=True)
    assert shown["file_name"] == "calls_january.csv"
    assert "service_identifier=18005550100" in shown["raw"]
    assert read_lives(installation, Choice(reason="no_price")).is_empty()


def test_a_found_number_recycles_and_the_trace_shows_both_lives(
    installation: Installation, tmp_path: Path
) -> None:
    simulate(installation, STORY, MARCH, tmp_path / "out")

    lives = read_lives(installation, Choice(state="all"))
    assert lives.select("state", "closed_at").unique().rows() == [("recycled", TENTH)]
    traced = "\n".join(trace_invoice(installation, "INV-2026-000002", None, limit=20))
    assert traced.count("was in suspense (mediate: unknown_identifier)") == 10
    assert "from 2026-02-01 12:00 to 2026-02-10 12:00" in traced


def test_a_record_written_off_is_never_billed_and_stays_counted(
    installation: Installation, tmp_path: Path
) -> None:
    play_january(installation, tmp_path)
    one = Choice(record_number=1)

    gone = write_off(installation, one, DECISION)
    mend(installation)
    compute_stale_days(installation, TENTH)

    assert gone.height == 1
    states = read_lives(installation, Choice(state="all")).sort("record_number")["state"]
    assert states.to_list() == ["written_off", *["recycled"] * 9]
    with installation_scope(installation.engine) as connection:
        days = conservation.read_conservation(connection, FEBRUARY.replace(month=1), FEBRUARY)
        log = audit.read_audit_log(connection, "acme").select("actor", "action", "note").rows()
    mediated = days.filter(pl.col("stage") == "mediate").select(
        pl.col("records_in", "accepted", "filtered", "suspended").sum()
    )
    assert mediated.rows() == [(10, 9, 1, 0)]
    assert ("ann", "written_off", "a test number") in log


def test_nothing_chosen_is_nothing_written_off(installation: Installation, tmp_path: Path) -> None:
    play_january(installation, tmp_path)

    with pytest.raises(NothingChosen, match="reason no_price"):
        write_off(installation, Choice(reason="no_price"), DECISION)


def test_recycling_in_vain_counts_an_attempt_and_is_logged(
    installation: Installation, tmp_path: Path
) -> None:
    play_january(installation, tmp_path)

    recycled = recycle(installation, Choice(service_identifier="18005550100"), DECISION)

    assert (recycled.before, recycled.after) == (10, 10)
    lives = read_lives(installation, Choice())
    assert lives.select(pl.col("attempts").unique()).item() == 2
    assert lives.filter(pl.col("first_seen_at") >= TENTH).is_empty()
    with installation_scope(installation.engine) as connection:
        assert "recycled" in audit.read_audit_log(connection, "acme")["action"].to_list()


def test_what_waits_is_worth_what_the_same_feed_brought(
    installation: Installation, tmp_path: Path
) -> None:
    play_january(installation, tmp_path)
    known = "k1,18005550199,2026-01-13T10:00:00Z,60\n"
    feed = tmp_path / "more" / "acme" / "usage" / "calls"
    shutil.copytree(STORY / "acme", tmp_path / "more" / "acme", ignore=lambda *_: ["usage"])
    feed.mkdir(parents=True)
    (feed / "calls_known.csv").write_text("call_id,line,started_at,seconds\n" + known)
    simulate(installation, tmp_path / "more", FEBRUARY, tmp_path / "out")

    lives = read_lives(installation, Choice())

    # 60 s of the same feed brought 0.05; 6,000 s wait.
    assert {key: f"{value:.2f}" for key, value in worth(lives).items()} == {"USD": "5.00"}
    waiting = tenant_suspense(installation, "acme").waiting
    assert waiting is not None
    assert (waiting.records, waiting.unvalued, waiting.currency) == (10, 0, "USD")
    assert waiting.rated == Decimal("0.05")
    with installation_scope(installation.engine) as connection:
        assert suspense.suspense_version(connection).startswith("10:")


def test_a_new_number_recycles_only_the_days_it_waits_on(
    installation: Installation, tmp_path: Path
) -> None:
    play_january(installation, tmp_path)
    with installation_scope(installation.engine) as connection:
        # A day after the number's start on which it does not wait.
        due.touch_usage_days(connection, "acme", [dt.date(2026, 1, 20)])
        due.record_mediated(connection, "acme", dt.date(2026, 1, 20), 1, [])

    mend(installation)

    with installation_scope(installation.engine) as connection:
        stale = due.stale_usage_days(connection).select("tenant_key", "usage_day").rows()
    assert stale == [("acme", dt.date(2026, 1, 12))]
