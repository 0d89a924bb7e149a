from pathlib import Path

import pytest

from billing_pipeline import demo
from billing_pipeline.accounting.handoff.hand_off import hand_off
from billing_pipeline.intake.tenant_folder import read_tenant_folder
from billing_pipeline_tests.accounting.builders import HANDED_OVER_AT, Document, journal_frame

FOLDERS = sorted((Path(demo.__file__).parent / "tenants").iterdir())


@pytest.mark.parametrize("folder", [pytest.param(path, id=path.name) for path in FOLDERS])
def test_every_demo_tenant_can_hand_its_journal_over(folder: Path) -> None:
    tenant = read_tenant_folder(folder).tenant
    invoice = Document(
        "RE-2026-00001", [("any", 1000)], [("S", "20", 200)], currency=tenant.currency
    )

    for format_name in tenant.handoff_formats:
        (file,) = hand_off(
            journal_frame([invoice], tenant),
            tenant,
            format_name,
            first_batch_number=1,
            created_at=HANDED_OVER_AT,
        )
        assert file.content
