"""Budget 6: one tick of the sensor over a landing zone with many files."""

import datetime as dt
from pathlib import Path

from billing_pipeline.bench.contest import Clock, NotRight
from billing_pipeline.bench.installations import apply, own_installation
from billing_pipeline.bench.stages import LANDED_AT
from billing_pipeline.bench.tenant_folder import TENANT, write_billed_tenant
from billing_pipeline.orchestration.steps.register import register_landed_files

_LONG_AFTER = LANDED_AT + dt.timedelta(days=3650)


def run(folder: Path, scratch: Path, clock: Clock, files: str) -> None:
    """Register so many new files, then look again when none is new."""
    del folder
    with own_installation() as installation:
        write_billed_tenant(scratch / "tenants" / TENANT, 1)
        apply(installation, scratch / "tenants" / TENANT)
        landing = Path(installation.landing_url) / TENANT / "calls"
        landing.mkdir(parents=True)
        for number in range(int(files)):
            (landing / f"calls_{number:06}.csv").write_text(f"call_id\n{number}\n")
        for phase in ("tick", "tick again"):
            with clock.phase(phase):
                registered = register_landed_files(installation, _LONG_AFTER)
            clock.counts[phase] = registered.new
    if clock.counts != {"tick": int(files), "tick again": 0}:
        raise NotRight(f"of {files} new files, ticks registered {clock.counts}")
