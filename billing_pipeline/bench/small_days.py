"""What a run and a partition cost by themselves: a month of small days of many tenants."""

import datetime as dt
from pathlib import Path

import yaml

from billing_pipeline.bench.contest import Clock, NotRight
from billing_pipeline.bench.installations import own_installation
from billing_pipeline.books import billed, due, invoices
from billing_pipeline.books.scope import installation_scope
from billing_pipeline.orchestration.configure import apply_folders, read_folders
from billing_pipeline.orchestration.days import EVER
from billing_pipeline.orchestration.flow import Flow
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.instance import open_instance
from billing_pipeline.orchestration.partitions import add_tenants
from billing_pipeline.orchestration.simulate import bill_due_days, catch_up
from billing_pipeline.orchestration.steps.register import register_landed_files

COMPANY = "group"
_FIRST_DAY = dt.date(2026, 3, 1)
_CALLS_A_DAY = 5
_APPLIED_AT = dt.datetime(2026, 2, 28, 12, tzinfo=dt.UTC)
_LONG_AFTER = dt.timedelta(days=3650)
_SELLER = {
    "name": "Bench Ltd",
    "street": "1 Bench Street",
    "city": "London",
    "postal_code": "E1 1AA",
    "country": "GB",
    "email": "b@example.com",
}
_PLAN = {
    "key": "plan",
    "name": "Plan",
    "currency": "GBP",
    "cycle": {"interval": "month", "anchor": "calendar"},
    "prices": [
        {"key": "fee", "product": "access", "model": "flat", "amount": "10", "timing": "arrears"},
        {
            "key": "minute",
            "product": "calls",
            "model": "per_unit",
            "applies_to": {"usage_type": "voice"},
            "amount": "0.05",
            "pricing_unit": 60,
            "unit": "min",
        },
    ],
}
_FEED = {
    "key": "calls",
    "name": "Calls",
    "match": {"file_name": r"calls.*\.csv"},
    "frame": {"framing": "delimited", "header": "names"},
    "fields": {
        "call_id": {"required": True},
        "line": {"required": True},
        "started_at": {"type": "time", "formats": ["iso8601"], "required": True},
        "seconds": {"type": "duration", "required": True},
    },
    "identity": ["call_id"],
    "event": {
        "usage_type": "voice",
        "service_identifier": "line",
        "started_at": "started_at",
        "quantity": "seconds",
        "unit": "s",
    },
}


def run(folder: Path, scratch: Path, clock: Clock, way: str, tenants: str, days: str) -> None:
    """Load, mediate, rate and bill a month by `steps` alone or through `dagster`."""
    del folder
    brands = [f"brand{number:02}" for number in range(int(tenants))]
    with own_installation() as installation:
        apply_brands(installation, scratch / "tenants", brands)
        _land(installation, brands, int(days))
        now = dt.datetime(2026, 4, 1, 12, tzinfo=dt.UTC)
        if way == "steps":
            with clock.phase("usage"):
                catch_up(installation, now)
            with clock.phase("bill"):
                bill_due_days(installation, now)
        else:
            _through_dagster(installation, clock, brands, now)
        clock.counts.update(_counted(installation, brands))
    if clock.counts["rated_days"] != len(brands) * int(days):
        raise NotRight(f"not every tenant's day was rated: {clock.counts}")
    if clock.counts["invoices"] != len(brands):
        raise NotRight(f"not every tenant was billed once: {clock.counts}")


def _through_dagster(
    installation: Installation, clock: Clock, brands: list[str], now: dt.datetime
) -> None:
    from billing_pipeline.definitions import defs  # noqa: PLC0415 - what a worker has imported

    instance = open_instance(installation)
    add_tenants(instance, [COMPANY, *brands])
    flow = Flow(installation, instance, defs)
    with clock.phase("usage"):
        flow.load_and_rate()
    with clock.phase("bill"):
        flow.bill(now)
    clock.counts["runs"] = instance.get_runs_count()
    instance.dispose()


def _counted(installation: Installation, brands: list[str]) -> dict[str, int]:
    with installation_scope(installation.engine) as connection:
        stale = due.stale_usage_days(connection).height + due.stale_rating_days(connection).height
        rated = sum(len(billed.days_with_usage(connection, brand, *EVER)) for brand in brands)
        issued = sum(invoices.read_invoices(connection, brand).height for brand in brands)
    return {"stale_days": stale, "rated_days": rated, "invoices": issued}


def apply_brands(installation: Installation, folder: Path, brands: list[str]) -> None:
    """Apply a company that owns a feed, and its brands with a customer each."""
    for key in (COMPANY, *brands):
        _write_tenant(folder / key, key)
    feeds = folder / COMPANY / "feeds"
    feeds.mkdir()
    (feeds / "calls.yaml").write_text(yaml.safe_dump(_FEED, sort_keys=False))
    apply_folders(installation, read_folders(folder), applied_at=_APPLIED_AT, applied_by="bench")


def _write_tenant(folder: Path, key: str) -> None:
    folder.mkdir(parents=True)
    is_brand = key != COMPANY
    tenant: dict[str, object] = {
        "key": key,
        "name": key.capitalize(),
        "kind": "brand" if is_brand else "company",
        **({"parent": COMPANY} if is_brand else {}),
        "legal_entity": _SELLER,
        "currency": "GBP",
        "time_zone": "Europe/London",
        "locale": "en_GB",
        "document_files": [],
        "ledger_accounts": {"receivable": "1200", "revenue": "4000", "tax": "2200"},
    }
    rate = {"key": "gb", "country": "GB", "tax_code": "S", "percent": 20, "label": "VAT 20 %"}
    products = [
        {"key": "access", "name": "Access", "kind": "recurring"},
        {"key": "calls", "name": "Calls", "kind": "usage"},
    ]
    files: dict[str, object] = {
        "tenant.yaml": tenant,
        "taxes.yaml": {"tax_rates": [rate]},
        "products.yaml": {"products": products},
        "plans.yaml": {"plans": [_PLAN]},
    }
    for name, content in files.items():
        (folder / name).write_text(yaml.safe_dump(content, sort_keys=False))
    if not is_brand:
        return
    (folder / "accounts.csv").write_text(
        "account_key,name,opened_on,payer_key,street,city,postal_code,country\n"
        f"A,Customer,{_FIRST_DAY},,1 Main Street,London,E1 1AA,GB\n"
    )
    (folder / "subscriptions.csv").write_text(
        f"subscription_key,account_key,plan_key,started_on,ended_on\nS,A,plan,{_FIRST_DAY},\n"
    )
    (folder / "service_identifiers.csv").write_text(
        f"identifier,subscription_key\n{_number(key)},S\n"
    )


def _number(brand: str) -> str:
    return f"4420000{brand.removeprefix('brand'):>05}".replace(" ", "0")


def _land(installation: Installation, brands: list[str], days: int) -> None:
    """One file a day with a few calls of every brand, each landing on its own day."""
    landing = Path(installation.landing_url) / COMPANY / "calls"
    landing.mkdir(parents=True)
    for offset in range(days):
        day = _FIRST_DAY + dt.timedelta(days=offset)
        lines = [
            f"{day}-{brand}-{call},{_number(brand)},{day}T{8 + call:02}:00:00Z,60"
            for brand in brands
            for call in range(_CALLS_A_DAY)
        ]
        text = "\n".join(["call_id,line,started_at,seconds", *lines])
        (landing / f"calls_{day}.csv").write_text(f"{text}\n")
        noon = dt.datetime.combine(day, dt.time(12), tzinfo=dt.UTC)
        register_landed_files(installation, noon + _LONG_AFTER, day)
