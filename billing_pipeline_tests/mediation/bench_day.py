"""One tenant's day of any number of call records, loaded and mediated: time and most memory.

`python -m billing_pipeline_tests.mediation.bench_day 10000000` makes the file, an installation
that is gone afterwards, and prints seconds and the most resident memory of each stage (Linux).
"""

import datetime as dt
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import yaml

from billing_pipeline.bench.stages import FEED
from billing_pipeline.bench.usage_files import FIRST_DAY, FIRST_NUMBER, Size, generate
from billing_pipeline.intake.tenant_folder import read_tenant_folder
from billing_pipeline.orchestration.configure import apply_folders
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.load import Loader
from billing_pipeline.orchestration.steps.mediate import mediate_owner_day
from billing_pipeline.orchestration.steps.register import register_landed_files
from billing_pipeline.orchestration.throwaway import throwaway_installation

STORY = Path(__file__).parents[1] / "scenarios" / "an_unknown_number_is_found" / "given"
LANDED = FIRST_DAY + dt.timedelta(days=2)
NUMBERS = 1_000


@contextmanager
def measured(what: str) -> Iterator[None]:
    """Print seconds and the most memory that was resident meanwhile."""
    Path("/proc/self/clear_refs").write_text("5")
    began = time.perf_counter()
    yield
    status = Path("/proc/self/status").read_text().splitlines()
    most = next(line for line in status if line.startswith("VmHWM"))
    seconds = time.perf_counter() - began
    click.echo(f"{what}: {seconds:.1f} s, at most {int(most.split()[1]) // 1024:,} MB")


def main(events: int) -> None:
    """Generate, load, mediate."""
    with throwaway_installation() as installation, tempfile.TemporaryDirectory() as folder:
        configure(installation, Path(folder))
        size = Size(events=events, accounts=NUMBERS, prefixes=1_000)
        calls = generate(size, Path(folder) / "calls").calls
        landing = Path(installation.landing_url) / "acme" / "calls"
        landing.mkdir(parents=True)
        landed = Path(shutil.move(calls, landing))
        os.utime(landed, (LANDED.timestamp(), LANDED.timestamp()))
        now = LANDED + dt.timedelta(hours=1)
        register_landed_files(installation, now, LANDED.date())
        with measured("load"):
            click.echo(str(Loader(installation, now).load_landing_day(LANDED.date())))
        with measured("mediate"):
            click.echo(str(mediate_owner_day(installation, "acme", FIRST_DAY.date(), now=now)))


def configure(installation: Installation, folder: Path) -> None:
    """The tenant of a story, with the feed and the numbers of the generated calls."""
    tenant = folder / "acme"
    shutil.copytree(STORY / "acme", tenant, ignore=shutil.ignore_patterns("usage"))
    feed = FEED.model_dump(mode="json", exclude_defaults=True)
    feed["match"]["max_bytes"] = 1 << 40
    (tenant / "feeds" / "calls.yaml").write_text(yaml.safe_dump(feed))
    numbers = [f"{FIRST_NUMBER + number},S-1,," for number in range(NUMBERS)]
    head = "identifier,subscription_key,valid_from,valid_until"
    (tenant / "service_identifiers.csv").write_text("\n".join([head, *numbers, ""]))
    read = read_tenant_folder(tenant)
    apply_folders(installation, [read], applied_at=FIRST_DAY, applied_by="bench")


if __name__ == "__main__":
    main(int(sys.argv[1]))
