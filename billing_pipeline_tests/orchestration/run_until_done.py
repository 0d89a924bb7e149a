"""A whole installation from start to books, as often as it takes: the program that is killed.

Usage: python -m billing_pipeline_tests.orchestration.run_until_done STORIES, with BILLING_HOME set.
"""

import datetime as dt
import shutil
import sys
import warnings
from pathlib import Path

from billing_pipeline.books.migrate import migrate
from billing_pipeline.definitions import defs
from billing_pipeline.orchestration.clock import utc_now
from billing_pipeline.orchestration.configure import apply_folders, read_folders
from billing_pipeline.orchestration.flow import Flow
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.instance import fail_abandoned_runs, open_instance
from billing_pipeline.orchestration.partitions import add_tenants
from billing_pipeline.orchestration.steps.register import register_landed_files

APPLIED_AT = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
BILLED_AT = (
    dt.datetime(2026, 2, 1, 12, tzinfo=dt.UTC),
    dt.datetime(2026, 5, 1, 12, tzinfo=dt.UTC),
)
LANDED_ON = dt.date(2026, 5, 1)


def run(stories: Path) -> None:
    """Do all that is left to do; what an earlier, killed start has done is not done again."""
    installation = Installation.from_environment()
    migrate(installation.engine)
    folders = read_folders(stories)
    with open_instance(installation) as instance:
        fail_abandoned_runs(instance)
        apply_folders(installation, folders, applied_at=APPLIED_AT, applied_by="test")
        add_tenants(instance, [folder.tenant.key for folder in folders])
        _land(installation, stories)
        flow = Flow(installation, instance, defs)
        flow.load_and_rate()
        for now in BILLED_AT:
            flow.bill(now)


def _land(installation: Installation, stories: Path) -> None:
    for upload in sorted(stories.rglob("usage/*/**/*.*")):
        tenant, _, feed, *_ = upload.relative_to(stories).parts
        target = Path(installation.landing_url) / tenant / feed / upload.name
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            beside = target.with_name(f".{target.name}.part")
            shutil.copyfile(upload, beside)
            beside.rename(target)
    register_landed_files(installation, utc_now() + dt.timedelta(hours=1), LANDED_ON)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    run(Path(sys.argv[1]))
    sys.stdout.write("done\n")
