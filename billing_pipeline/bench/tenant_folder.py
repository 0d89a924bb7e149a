"""The tenants of the bench as configuration folders, as any tenant has them."""

import datetime as dt
from pathlib import Path

import polars as pl
import yaml

from billing_pipeline.bench.stages import FEED, PLAN
from billing_pipeline.bench.usage_files import FIRST_DAY, Inputs

TENANT = "bench"
SUBSCRIPTIONS_PER_ACCOUNT = 3
CHARGES_PER_ACCOUNT = 10
BILL_DAY = dt.date(2026, 4, 1)

_OPENED = dt.date(2026, 3, 1)
_STARTED = pl.lit(_OPENED.isoformat())
_PRICES = {"one": 3, "two": 3, "three": 4}
_FEE = 10


def write_usage_tenant(inputs: Inputs, folder: Path) -> None:
    """One subscription and one number an account, priced by the rate card."""
    plan = PLAN.model_dump(mode="json", exclude_defaults=True)
    _write_common(folder, [plan])
    owners = pl.read_csv(inputs.accounts, schema_overrides={"number": pl.String})
    _write_accounts(folder, owners["account_key"])
    key = pl.format("S-{}", "account_key").alias("subscription_key")
    _write_subscriptions(folder, owners.select(key, "account_key", plan_key=pl.lit("plan")))
    empty = pl.lit(None, pl.String)
    owners.select(
        pl.col("number").alias("identifier"), key, valid_from=empty, valid_until=empty
    ).write_csv(folder / "service_identifiers.csv")
    (folder / "feeds").mkdir()
    feed = FEED.model_dump(mode="json", exclude_defaults=True, by_alias=True)
    _write_yaml(folder / "feeds" / "calls.yaml", feed)
    cards = {"rate_cards": [{"key": "card", "kind": "retail", "currency": "GBP"}]}
    _write_yaml(folder / "rate_cards.yaml", cards)
    (folder / "rate_cards").mkdir()
    (folder / "rate_cards" / "card.csv").write_bytes(inputs.card.read_bytes())


def write_billed_tenant(folder: Path, accounts: int) -> None:
    """Three subscriptions an account, ten fees of 10.00 a month, due on the first."""
    plans: list[dict[str, object]] = [
        {
            "key": name,
            "name": name,
            "currency": "GBP",
            "cycle": {"interval": "month", "anchor": "calendar"},
            "prices": [
                {"key": f"fee-{n}", "product": "access", "model": "flat", "amount": _FEE,
                 "timing": "arrears"}
                for n in range(count)
            ],
        }
        for name, count in _PRICES.items()
    ]  # fmt: skip
    _write_common(folder, plans)
    number = pl.int_range(accounts).cast(pl.String).str.zfill(7)
    keys = pl.select(account_key=pl.format("A{}", number))
    _write_accounts(folder, keys["account_key"])
    subscriptions = keys.join(pl.DataFrame({"plan_key": list(_PRICES)}), how="cross")
    key = pl.format("{}-{}", "account_key", "plan_key").alias("subscription_key")
    _write_subscriptions(folder, subscriptions.select(key, "account_key", "plan_key"))


def _write_common(folder: Path, plans: list[dict[str, object]]) -> None:
    folder.mkdir(parents=True)
    address = {"street": "1 Bench Street", "city": "London", "postal_code": "E1 1AA"}
    tenant = {
        "key": TENANT,
        "name": "Bench",
        "kind": "brand",
        "legal_entity": {"name": "Bench Ltd", **address, "country": "GB", "email": "b@example.com"},
        "currency": "GBP",
        "time_zone": "Europe/London",
        "locale": "en_GB",
        "ledger_accounts": {"receivable": "1200", "revenue": "4000", "tax": "2200"},
    }
    rate = {"key": "gb", "country": "GB", "tax_code": "S", "percent": 20, "label": "VAT 20 %"}
    products = [
        {"key": "access", "name": "Access", "kind": "recurring"},
        {"key": "calls", "name": "Calls", "kind": "usage"},
    ]
    _write_yaml(folder / "tenant.yaml", tenant)
    _write_yaml(folder / "taxes.yaml", {"tax_rates": [rate]})
    _write_yaml(folder / "products.yaml", {"products": products})
    _write_yaml(folder / "plans.yaml", {"plans": plans})


def _write_accounts(folder: Path, keys: pl.Series) -> None:
    keys.to_frame().select(
        "account_key",
        name=pl.format("Customer {}", "account_key"),
        opened_on=_STARTED,
        payer_key=pl.lit(None, pl.String),
        street=pl.lit("1 Main Street"),
        city=pl.lit("London"),
        postal_code=pl.lit("E1 1AA"),
        country=pl.lit("GB"),
    ).write_csv(folder / "accounts.csv")


def _write_subscriptions(folder: Path, subscriptions: pl.DataFrame) -> None:
    subscriptions.with_columns(started_on=_STARTED, ended_on=pl.lit(None, pl.String)).write_csv(
        folder / "subscriptions.csv"
    )


def _write_yaml(path: Path, content: object) -> None:
    path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))


APPLIED_AT = FIRST_DAY - dt.timedelta(hours=12)
