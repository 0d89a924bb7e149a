from pathlib import Path

import pytest

from billing_pipeline import demo
from billing_pipeline.accounting.handoff.hand_off import hand_off
from billing_pipeline.accounting.handoff.master_data.customers import customers_of
from billing_pipeline.accounting.handoff.master_data.layout import CustomerBatch
from billing_pipeline.accounting.handoff.registry import handoff_format
from billing_pipeline.customers.schema import ACCOUNTS
from billing_pipeline.intake.tenant_folder import read_tenant_folder
from billing_pipeline_tests.accounting.builders import HANDED_OVER_AT, Document, journal_frame

FOLDERS = sorted((Path(demo.__file__).parent / "tenants").iterdir())


@pytest.mark.parametrize("folder", [pytest.param(path, id=path.name) for path in FOLDERS])
def test_every_demo_tenant_can_hand_its_customers_and_journal_over(folder: Path) -> None:
    read = read_tenant_folder(folder)
    tenant, accounts = read.tenant, read.accounts.select(ACCOUNTS.names)
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
        layout = handoff_format(format_name).customers
        if layout is not None and layout.is_wanted(tenant):
            customers = customers_of(accounts, tenant, format_name)
            batch = CustomerBatch(tenant.key, format_name, 1, HANDED_OVER_AT, customers.height)
            assert layout.file(customers, batch, tenant).content
