"""Run tenant folders with their usage on a throw-away installation, day after local day.

It calls the same steps as the assets. `DIR/<tenant>/` are folders as for `billing catalog apply`
with usage in `usage/<feed>/`; `DIR/<tenant>@2026-10-05/` is the same tenant as it is from that day
on; `usage/<feed>/@2026-10-05/` holds files that land only on that day. `DIR/decisions.csv` says
what people decide: day, tenant_key, bill_day, account_key, decision, reason. A decision is
`approve` or `reject`. `DIR/closings.csv` says which months are closed at the end of which day.
"""

import csv
import datetime as dt
import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import fsspec

from billing_pipeline.books import catalog, checks, due, files, invoices
from billing_pipeline.books.scope import installation_scope, tenant_scope
from billing_pipeline.intake.archive import open_usage
from billing_pipeline.intake.tenant_folder import TenantFolder
from billing_pipeline.mediation.decode import decode_blocks
from billing_pipeline.orchestration.bills import Decision, decide
from billing_pipeline.orchestration.closings import close_months, read_closings
from billing_pipeline.orchestration.configure import apply_folders, read_folder, read_folders
from billing_pipeline.orchestration.days import ONE_DAY
from billing_pipeline.orchestration.extracts import write_extracts
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.assure import assure_tenant
from billing_pipeline.orchestration.steps.bill_days import billable_days
from billing_pipeline.orchestration.steps.compute import compute_bill_day, keep_charges
from billing_pipeline.orchestration.steps.facts import read_facts
from billing_pipeline.orchestration.steps.issue import issue_bill_day
from billing_pipeline.orchestration.steps.load import Loader
from billing_pipeline.orchestration.steps.owner_feeds import OwnerFeeds
from billing_pipeline.orchestration.steps.register import register_landed_files
from billing_pipeline.orchestration.steps.render import render_days
from billing_pipeline.orchestration.steps.stale import compute_stale_days

_DATED = re.compile(r"^(?P<key>[^@]*)@(?P<day>\d{4}-\d{2}-\d{2})$")
_NO_LIMIT = 100_000


@dataclass(frozen=True)
class Landing:
    """A usage file to land; `is_dated` says that the story names its day."""

    owner: str
    feed: str
    source: Path
    is_dated: bool


@dataclass(frozen=True)
class Story:
    """What happens on which day: folders to apply and files to land."""

    folders: dict[dt.date, list[Path]]
    landings: dict[dt.date, list[Landing]]
    decisions: dict[dt.date, list[Decision]]
    closings: dict[dt.date, list[tuple[str, dt.date]]]


def read_decisions(directory: Path) -> dict[dt.date, list[Decision]]:
    """What people decide about bills, by the day they do."""
    decisions: dict[dt.date, list[Decision]] = {}
    for row in _decided(directory, "approve", "reject"):
        decision = Decision(
            tenant_key=row["tenant_key"],
            bill_day=dt.date.fromisoformat(row["bill_day"]),
            account_key=row["account_key"] or None,
            is_approved=row["decision"] == "approve",
            decided_by="a person",
            reason=row["reason"],
        )
        decisions.setdefault(dt.date.fromisoformat(row["day"]), []).append(decision)
    return decisions


def _decided(directory: Path, *decisions: str) -> list[dict[str, str]]:
    """Rows of `decisions.csv` with some decisions; none without the file."""
    path = directory / "decisions.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [row for row in csv.DictReader(file) if row["decision"] in decisions]


def simulate(
    installation: Installation, directory: Path, through: dt.date, out: Path
) -> dict[str, object]:
    """Play the story in `directory` up to and including local day `through`; write `out`.

    Returns the summary that is also written as `summary.json`.
    Raises: ConfigurationRefused if a folder has mistakes.
    """
    folders = read_folders(directory)
    first_day = min(_first_days(folders), default=through)
    story = read_story(directory, first_day)
    for day, last_day in _stretches(story, first_day, through):
        _play(installation, story, day, last_day)
    with installation_scope(installation.engine) as connection:
        failing = checks.failing_checks(connection)
    summary = write_extracts(installation, out)
    summary["failing_checks"] = sorted(failing)
    summary["findings"] = _assure(installation, through)
    (out / "summary.json").write_text(json.dumps(summary, indent=2, sort_keys=True) + "\n")
    return summary


def read_story(directory: Path, first_day: dt.date) -> Story:
    """Sort folders and usage files by the day they appear; undated ones on the first day."""
    story = Story({}, {}, read_decisions(directory), read_closings(directory))
    roots = [directory] if (directory / "tenant.yaml").exists() else sorted(directory.iterdir())
    for folder in (root for root in roots if (root / "tenant.yaml").exists()):
        day = _day_of(folder.name, first_day)
        story.folders.setdefault(day, []).append(folder)
        for upload in _uploads(folder):
            owner = folder.name.split("@")[0]
            is_dated = "@" in upload.parent.name
            feed = upload.parent.parent.name if is_dated else upload.parent.name
            landing = Landing(owner, feed, upload, is_dated)
            story.landings.setdefault(_day_of(upload.parent.name, day), []).append(landing)
    return story


def _uploads(folder: Path) -> list[Path]:
    return sorted(path for path in (folder / "usage").rglob("*") if path.is_file())


def _day_of(name: str, otherwise: dt.date) -> dt.date:
    dated = _DATED.match(name)
    return dt.date.fromisoformat(dated["day"]) if dated else otherwise


def _first_days(folders: list[TenantFolder]) -> Iterator[dt.date]:
    for folder in folders:
        if folder.subscriptions.height:
            yield dt.date.fromisoformat(str(folder.subscriptions["started_on"].min()))


def _stretches(story: Story, first: dt.date, through: dt.date) -> Iterator[tuple[dt.date, dt.date]]:
    """Days on which something happens, each with the last day before the next of them.

    On the days between, what is known stays the same: billing them one by one or all at once
    comes to the same.
    """
    happens = {*story.folders, *story.landings, *story.decisions, *story.closings}
    # A month is closed when its day has been billed, so the next day is billed apart.
    after = {day + ONE_DAY for day in story.closings}
    starts = [day for day in sorted({first, *happens, *after}) if first <= day <= through]
    yield from zip(starts, (*(day - ONE_DAY for day in starts[1:]), through), strict=True)


def _play(installation: Installation, story: Story, day: dt.date, last_day: dt.date) -> None:
    """What happens on a day, and all bill days from it to the last before something else does."""
    noon = _noon(day)
    if folders := story.folders.get(day):
        read = [read_folder(folder) for folder in folders]
        apply_folders(installation, read, applied_at=noon, applied_by="simulation")
    if landings := story.landings.get(day):
        latest = _land(installation, landings, noon)
        register_landed_files(installation, latest + dt.timedelta(days=1), day)
    for decision in story.decisions.get(day, []):
        decide(installation, decision, noon)
    catch_up(installation, noon)
    bill_due_days(installation, _noon(last_day))
    close_months(installation, story.closings.get(day, []))


def _noon(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(12), tzinfo=dt.UTC)


def _land(installation: Installation, landings: list[Landing], noon: dt.datetime) -> dt.datetime:
    """Put files into the landing zone with the story's time; return the latest instant."""
    _, root = fsspec.core.url_to_fs(installation.landing_url)
    feeds = OwnerFeeds(installation)
    latest = noon
    for landing in landings:
        landed_at = noon if landing.is_dated else _after_its_events(feeds, landing, noon)
        landed = Path(root) / landing.owner / landing.feed / landing.source.name
        landed.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(landing.source, landed)
        os.utime(landed, (landed_at.timestamp(), landed_at.timestamp()))
        latest = max(latest, landed_at)
    return latest


def _after_its_events(feeds: OwnerFeeds, landing: Landing, noon: dt.datetime) -> dt.datetime:
    """When a file without a date would have landed: the midnight after its last event.

    It is loaded on the first day all the same, so that a story can be told in one file.
    """
    try:
        feed = feeds.of_file(landing.owner, landing.feed, landing.source.name, noon.date())
        limits = (feed.match.max_bytes, feed.match.max_ratio)
        with open_usage(str(landing.source), landing.source.name, *limits) as stream:
            blocks = decode_blocks(feed, stream, landing.source.name)
            ends = [block.accepted["started_at"].max() for block in blocks]
    except Exception:  # noqa: BLE001 - the loader will say what is wrong with the file
        return noon
    last = max((end for end in ends if isinstance(end, dt.datetime)), default=noon)
    after = dt.datetime.combine(last.date() + ONE_DAY, dt.time(), tzinfo=dt.UTC)
    return max(noon, after)


def catch_up(installation: Installation, now: dt.datetime) -> None:
    """Load every waiting file and compute every stale day."""
    with installation_scope(installation.engine) as connection:
        landing_days = files.unloaded_landing_days(connection)
    loader = Loader(installation, now)
    for day in landing_days:
        loader.load_landing_day(day)
    compute_stale_days(installation, now)


def bill_due_days(installation: Installation, now: dt.datetime) -> None:
    """Bill every local day that is due, tenant by tenant, oldest first."""
    with installation_scope(installation.engine) as connection:
        due.plan_bill_days(connection, now)
        days = due.due_bill_days(connection, limit=_NO_LIMIT).select("tenant_key", "bill_day")
    for (tenant_key,), own in sorted(days.partition_by("tenant_key", as_dict=True).items()):
        facts = read_facts(installation, str(tenant_key))
        for bill_day in billable_days(installation, facts, own["bill_day"].sort().to_list(), now):
            computed = compute_bill_day(installation, facts, bill_day)
            keep_charges(installation, facts.tenant.key, bill_day, computed)
            if issue_bill_day(installation, facts, bill_day, now).is_waiting:
                break


def _assure(installation: Installation, through: dt.date) -> list[str]:
    """What the controls say when the story is over: `severity tenant control subject`."""
    noon = _noon(through)
    with installation_scope(installation.engine) as connection:
        tenants = catalog.tenant_keys(connection)
    said = {
        tenant_key: assure_tenant(
            installation, read_facts(installation, tenant_key), [through], noon
        )
        for tenant_key in tenants
    }
    return [
        f"{severity} {tenant_key} {control} {subject}"
        for tenant_key, found in sorted(said.items())
        for severity, control, subject in found.found.select(
            "severity", "control", "subject"
        ).rows()
    ]


def render_documents(installation: Installation, out: Path) -> None:
    """Render every document of a played story and copy it to `out`."""
    with installation_scope(installation.engine) as connection:
        tenants = catalog.tenant_keys(connection)
    for tenant_key in tenants:
        facts = read_facts(installation, tenant_key)
        with tenant_scope(installation.engine, tenant_key) as connection:
            days = invoices.read_invoices(connection, tenant_key)["bill_day"].unique().sort()
        rendered = render_days(installation, facts, days.to_list())
        for number, path in (pair for day in rendered.values() for pair in day.paths):
            target = out / tenant_key / f"{number}.pdf"
            target.parent.mkdir(parents=True, exist_ok=True)
            fsspec.filesystem("file").copy(path, str(target))
