"""The demo: apply tenants, land their usage week by week, bill two months, say what came of it."""

import datetime as dt
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files as package_files
from itertools import groupby, pairwise
from pathlib import Path

import dagster as dg
import fsspec
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from billing_pipeline.books.migrate import migrate
from billing_pipeline.demo.decks import write_decks
from billing_pipeline.demo.usage.generate import UsageSummary, generate_usage
from billing_pipeline.orchestration.clock import utc_now
from billing_pipeline.orchestration.configure import apply_folders, read_folders
from billing_pipeline.orchestration.days import ONE_DAY
from billing_pipeline.orchestration.demo_summary import summary_table
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.instance import open_instance
from billing_pipeline.orchestration.partitions import add_tenants
from billing_pipeline.orchestration.side_by_side import LoadDefinitions, SideBySideFlow
from billing_pipeline.orchestration.steps.register import register_landed_files

FIRST_DAY = dt.date(2026, 9, 1)
LAST_DAY = dt.date(2026, 10, 31)
SETTLED = dt.timedelta(hours=1)
BILLED_AT = (
    dt.datetime(2026, 10, 1, 12, tzinfo=dt.UTC),
    dt.datetime(2026, 11, 1, 12, tzinfo=dt.UTC),
)


def run_demo(
    installation: Installation, definitions: LoadDefinitions, *, events: int, seed: int
) -> None:
    """Run the whole demo; what is there already is not done again."""
    console = Console()
    with _progress(console) as progress:
        with _step(progress, "starting Postgres, migrating"):
            migrate(installation.engine)
            instance = open_instance(installation)
        with SideBySideFlow(installation, instance, definitions) as flow:
            _play(installation, instance, flow, progress, events=events, seed=seed)
        instance.dispose()
    console.print(summary_table(installation))
    console.print("Look at it: [bold]make dev[/bold], then http://127.0.0.1:3000")


def _play(
    installation: Installation,
    instance: dg.DagsterInstance,
    flow: SideBySideFlow,
    progress: Progress,
    *,
    events: int,
    seed: int,
) -> None:
    usage = flow.beside(_usage, installation.home, events, seed)
    with _step(progress, "applying the demo tenants"):
        folders = read_folders(_tenants(installation))
        apply_folders(installation, folders, applied_at=utc_now(), applied_by="demo")
        add_tenants(instance, [folder.tenant.key for folder in folders])
    with _step(progress, "generating usage"):
        generated = usage.result()
    for since, until in _months():
        with _step(progress, f"landing, mediating and rating usage to {until.date()}"):
            _land(installation, generated, since.date(), until.date())
            flow.load_and_rate()
        with _step(progress, f"billing to {until.date()}"):
            flow.bill(until)
    with _step(progress, "running every control"):
        flow.assure(LAST_DAY)


@contextmanager
def _step(progress: Progress, words: str) -> Iterator[None]:
    task = progress.add_task(words, total=1)
    yield
    progress.advance(task)


def _progress(console: Console) -> Progress:
    return Progress(
        SpinnerColumn(finished_text="[green]done[/green]"),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        console=console,
    )


def _months() -> Iterator[tuple[dt.datetime, dt.datetime]]:
    start = dt.datetime.combine(FIRST_DAY, dt.time(), tzinfo=dt.UTC)
    return pairwise((start, *BILLED_AT))


def _tenants(installation: Installation) -> Path:
    """A copy of the shipped folders to play with; an existing copy is left as it is."""
    copy = installation.home / "demo" / "tenants"
    if not copy.exists():
        shutil.copytree(str(package_files("billing_pipeline.demo") / "tenants"), copy)
        write_decks(copy)
    return copy


def _usage(home: Path, events: int, seed: int) -> UsageSummary:
    return generate_usage(
        home / "demo" / "usage",
        from_day=FIRST_DAY,
        until_day=LAST_DAY,
        events=events,
        seed=seed,
    )


def _land(
    installation: Installation, generated: UsageSummary, since: dt.date, until: dt.date
) -> None:
    """Put files into the landing zone, a week's at a time, each with the time of its own day."""
    filesystem, root = fsspec.core.url_to_fs(installation.landing_url)
    due = sorted(
        (file for file in generated.files if since <= file.lands_on < until),
        key=lambda file: file.lands_on,
    )
    for _, week in groupby(due, lambda file: file.lands_on.isocalendar().week):
        for file in week:
            landed_at = dt.datetime.combine(file.lands_on + ONE_DAY, dt.time(), tzinfo=dt.UTC)
            target = f"{root}/{file.tenant_key}/{file.feed_key}/{file.path.name}"
            if not filesystem.exists(target):
                filesystem.makedirs(target.rsplit("/", 1)[0], exist_ok=True)
                filesystem.put_file(str(file.path), target)
                _lands_at(Path(target), landed_at)
        register_landed_files(installation, max(utc_now(), landed_at) + SETTLED, file.lands_on)


def _lands_at(path: Path, landed_at: dt.datetime) -> None:
    """Give a file in a landing folder the time of the story; an object store keeps its own."""
    if path.exists():
        os.utime(path, (landed_at.timestamp(), landed_at.timestamp()))
