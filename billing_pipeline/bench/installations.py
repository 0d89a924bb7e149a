"""A throw-away installation with a tenant of the bench applied, and usage landed."""

import datetime as dt
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from billing_pipeline.bench.stages import LANDED_AT
from billing_pipeline.bench.tenant_folder import APPLIED_AT, TENANT, write_usage_tenant
from billing_pipeline.bench.usage_files import Inputs
from billing_pipeline.books.embedded import stop_embedded
from billing_pipeline.books.migrate import migrate
from billing_pipeline.orchestration.configure import apply_folders, read_folder
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.register import register_landed_files

LOADED_AT = LANDED_AT + dt.timedelta(hours=1)
_LONG_AFTER = dt.timedelta(days=3650)


@contextmanager
def own_installation() -> Iterator[Installation]:
    """The installation of this process, on an embedded Postgres that stops at the end."""
    installation = Installation.from_environment()
    installation.home.mkdir(parents=True, exist_ok=True)
    installation.home.chmod(0o755)
    migrate(installation.engine)
    try:
        yield installation
    finally:
        installation.engine.dispose()
        stop_embedded(installation.home / "postgres")


def apply(installation: Installation, folder: Path) -> None:
    """Apply a tenant folder."""
    apply_folders(installation, [read_folder(folder)], applied_at=APPLIED_AT, applied_by="bench")


def land_usage(installation: Installation, inputs: Inputs, scratch: Path) -> None:
    """Apply the tenant whose usage it is, and register the file."""
    write_usage_tenant(inputs, scratch / "tenants" / TENANT)
    apply(installation, scratch / "tenants" / TENANT)
    landing = Path(installation.landing_url) / TENANT / "calls"
    landing.mkdir(parents=True)
    shutil.copyfile(inputs.calls, landing / inputs.calls.name)
    register_landed_files(installation, LANDED_AT + _LONG_AFTER, LANDED_AT.date())
