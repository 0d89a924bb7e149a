from pathlib import Path

import polars as pl
import pytest

from billing_pipeline.demo import decks
from billing_pipeline.demo.usage.owners import TENANT_FOLDERS
from billing_pipeline.intake.tenant_folder import TenantFolder, read_tenant_folder

TENANTS = ["cleardesk", "datastrom", "meridian", "northlink", "ringwell"]


@pytest.fixture(scope="module")
def folders() -> dict[str, TenantFolder]:
    return {key: read_tenant_folder(TENANT_FOLDERS / key) for key in TENANTS}


def test_every_folder_of_the_demo_is_faultless(folders: dict[str, TenantFolder]) -> None:
    assert sorted(path.name for path in TENANT_FOLDERS.iterdir()) == TENANTS
    assert {key: folder.tenant.currency for key, folder in folders.items()} == {
        "cleardesk": "USD",
        "datastrom": "EUR",
        "meridian": "USD",
        "northlink": "GBP",
        "ringwell": "USD",
    }


def test_the_brands_share_one_feed_and_no_identifier(folders: dict[str, TenantFolder]) -> None:
    ringwell = set(folders["ringwell"].service_identifiers["identifier"])
    cleardesk = set(folders["cleardesk"].service_identifiers["identifier"])

    assert [feed.key for feed in folders["meridian"].feeds] == ["agent-calls"]
    assert folders["ringwell"].feeds == folders["cleardesk"].feeds == ()
    assert folders["ringwell"].tenant.parent == folders["cleardesk"].tenant.parent == "meridian"
    assert not ringwell & cleardesk


def test_anniversaries_fall_on_the_last_days_of_months_too(
    folders: dict[str, TenantFolder],
) -> None:
    days = set(folders["ringwell"].accounts["opened_on"].dt.day())

    assert {28, 29, 30, 31} <= days


def test_a_reseller_pays_for_its_sub_accounts(folders: dict[str, TenantFolder]) -> None:
    paid = folders["northlink"].accounts.filter(pl.col("payer_key") != pl.col("account_key"))

    assert paid["account_key"].to_list() == ["NL-R101", "NL-R102", "NL-R103", "NL-R104"]
    assert set(paid["payer_key"]) == {"NL-R100"}


def test_the_price_models_of_the_demo_are_many(folders: dict[str, TenantFolder]) -> None:
    models = {
        price.model
        for folder in folders.values()
        for plan in folder.catalog.plans
        for price in plan.prices
    }

    assert models == {
        "flat",
        "one_time",
        "per_unit",
        "rate_card",
        "graduated",
        "percentile",
        "latest",
    }


@pytest.mark.slow
def test_the_committed_cards_are_the_ones_the_command_builds(tmp_path: Path) -> None:
    decks.write_decks(tmp_path)

    for card in ("retail", "supplier", "wholesale"):
        built = (tmp_path / decks.CARDS / f"{card}.csv").read_bytes()
        assert built == (decks.TENANTS / decks.CARDS / f"{card}.csv").read_bytes(), card


@pytest.mark.slow
def test_a_deck_of_all_known_prefixes_has_each_once() -> None:
    deck = decks.supplier_deck(decks.carrier_prefixes(), decks.geographic_prefixes())

    assert deck["prefix"].is_unique().all()
    assert deck.height > 300_000
    free = deck.filter(pl.col("unit_price").cast(pl.Decimal(38, 10)) <= 0)
    assert free["prefix"].to_list() == ["4480"]


def test_a_british_mobile_call_is_never_sold_below_cost(folders: dict[str, TenantFolder]) -> None:
    prices = folders["northlink"].rate_card_prices
    mobile = prices.filter(pl.col("prefix").str.starts_with("447"))
    cost = mobile.filter(pl.col("card_key") == "supplier")["unit_price"].cast(pl.Decimal(38, 10))
    sold = mobile.filter(pl.col("card_key") != "supplier")["unit_price"]

    assert sold.len() > 10
    assert sold.min() > cost.max()  # type: ignore[operator]
