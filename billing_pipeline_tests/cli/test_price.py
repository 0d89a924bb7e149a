"""`billing price`: what something costs and why, from a folder, touching nothing."""

import datetime as dt
import json
import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from billing_pipeline.books.migrate import migrate
from billing_pipeline.cli import billing
from billing_pipeline.orchestration.configure import apply_folders, read_folders
from billing_pipeline.orchestration.installation import Installation

STORIES = Path(__file__).parents[1] / "scenarios"
MODELS = f"{STORIES}/time_bands_meters_caps_and_teasers/given/acme"
TREE = str(STORIES / "negotiated_prices_down_the_account_tree/given/acme")
INCLUDED = str(STORIES / "included_minutes_then_overage/given/acme")
GIGABYTES = str(STORIES / "graduated_55_gigabytes/given/acme")
LEAVING = str(STORIES / "leaving_a_contract_of_a_year_after_three_months/given/acme")
BANDS = str(STORIES / "peak_off_peak_and_longest_prefix/given/acme")


def price(*words: str) -> str:
    result = CliRunner().invoke(billing, ["price", *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_an_explanation_lists_every_price_in_order_and_marks_what_holds() -> None:
    before = price("explain", TREE, "S-A", "access", "--at", "2026-01-15").splitlines()
    since = price("explain", TREE, "S-A", "access", "--at", "2026-01-16").splitlines()

    assert before[2].startswith("     1. account SHOP-A: shop-a-fee, from 2026-01-16: flat")
    assert before[3].startswith("  -> 2. plan basic in USD: fee")
    assert since[2].startswith("  -> 1. account SHOP-A: shop-a-fee")


def test_an_explanation_tells_what_kind_of_product_it_is_and_its_category() -> None:
    told = price("explain", LEAVING, "S-1", "access", "--at", "2026-06-01")

    assert told.splitlines()[1].startswith("price fee of product access (recurring, services); ")


@pytest.mark.postgres
def test_what_was_known_on_an_earlier_day_is_explained_and_tried_as_it_was(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A revision of February lowers shop A's fee to 14.00 and the group's minutes to 0.02."""
    monkeypatch.setenv("BILLING_HOME", str(tmp_path))
    monkeypatch.setenv("BILLING_DATABASE_URL", database_url)
    folder = tmp_path / "acme"
    shutil.copytree(TREE, folder)
    installation = Installation.from_environment()
    migrate(installation.engine)
    for month in (1, 2):
        applied_at = dt.datetime(2026, month, 10, tzinfo=dt.UTC)
        apply_folders(installation, read_folders(folder), applied_at=applied_at, applied_by="test")
        prices = (folder / "prices.yaml").read_text()
        cheaper = prices.replace("amount: 15", "amount: 14").replace("0.03", "0.02")
        (folder / "prices.yaml").write_text(cheaper)
    words = ("explain", "acme", "S-A", "access", "--at", "2026-01-20")

    then = price(*words, "--known-at", "2026-01-31T00:00:00Z").splitlines()
    now = price(*words).splitlines()
    event = ("try", "acme", "S-A", "--event", "usage_type=voice", "--event", "quantity=90")
    before = json.loads(price(*event, "--json", "--known-at", "2026-01-31"))
    after = json.loads(price(*event, "--json"))
    unread = CliRunner().invoke(billing, ["price", *words, "--known-at", "January"])

    assert then[2].startswith(
        "  -> 1. account SHOP-A: shop-a-fee, from 2026-01-16: flat, amount 15"
    )
    assert now[2].startswith("  -> 1. account SHOP-A: shop-a-fee, from 2026-01-16: flat, amount 14")
    assert [told["prices"][0]["amount"] for told in (before, after)] == ["0.045", "0.03"]
    assert "write it as 2026-10-05T12:00:00Z" in unread.output


def test_the_day_of_an_explanation_is_the_tenants() -> None:
    """Half past midnight UTC is still the evening before in New York."""
    words = ("explain", TREE, "S-A", "access", "--at", "2026-01-16T00:30:00Z", "--json")

    told = json.loads(price(*words))

    assert told["day"] == "2026-01-15"
    assert [one["holds"] for one in told["candidates"]] == [False, True]


def test_an_ancestors_agreement_and_another_currency_are_named_as_what_holds() -> None:
    below = price("explain", TREE, "S-B", "calls", "--at", "2026-01-16")
    euros = price("explain", TREE, "S-E", "calls", "--at", "2026-01-16")

    assert "-> 1. account HEAD: group-minutes" in below
    assert "-> 1. plan basic in EUR: minutes" in euros


def test_one_event_is_priced_for_a_subscription_at_its_own_price() -> None:
    """90 s at 0.03 a minute are 0.045; the plan says 0.05."""
    event = ("--event", "usage_type=voice", "--event", "quantity=90")

    told = json.loads(price("try", TREE, "S-A", *event, "--json"))

    (rated,) = told["events"]
    assert (rated["unit_price"], rated["billable_units"], rated["amount"]) == (
        "0.03",
        "90",
        "0.045",
    )
    assert told["prices"][0]["amount"] == "0.045"


def test_a_file_is_priced_with_its_included_units() -> None:
    """13 calls of ten minutes, 100 minutes are included: 30 at 0.05."""
    calls = f"{INCLUDED}/usage/calls/@2026-02-01/calls.csv"

    told = json.loads(price("try", INCLUDED, "basic", calls, "--feed", "calls", "--json"))

    (total,) = told["prices"]
    assert len(told["events"]) == 13
    assert (total["included_units"], total["quantity"], total["amount"]) == ("6000", "30", "1.5")


def test_a_file_is_read_by_the_version_of_its_feed_in_force_when_it_landed(tmp_path: Path) -> None:
    """From February on the switch writes minutes: 13 calls of 600 minutes instead of seconds."""
    tenant = tmp_path / "acme"
    shutil.copytree(INCLUDED, tenant)
    feed = (tenant / "feeds" / "calls.yaml").read_text()
    later = (
        feed.replace("type: duration", "type: duration, format: minutes")
        + "valid_from: 2026-02-01\n"
    )
    (tenant / "feeds" / "calls@2026-02-01.yaml").write_text(later)
    words = ("try", str(tenant), "basic", f"{INCLUDED}/usage/calls/@2026-02-01/calls.csv")

    before, since = (
        json.loads(price(*words, "--feed", "calls", "--json", "--landed", day))
        for day in ("2026-01-31", "2026-02-01")
    )

    quantities = [told["events"][0]["quantity"] for told in (before, since)]
    assert Decimal(quantities[1]) == 60 * Decimal(quantities[0])


def test_what_is_priced_over_a_period_is_priced_as_one_period() -> None:
    (file,) = Path(GIGABYTES).glob("usage/*/*/meter.csv")

    told = price("try", GIGABYTES, "basic", str(file), "--feed", file.parents[1].name)

    assert "(graduated): 2 events, 55 units, 77.5 USD" in told
    assert "priced over the period" in told


def tried(against: str, *fields: str) -> dict[str, Any]:
    """`price try` of one event on the story of many models, for machines."""
    words = [word for field in fields for word in ("--event", field)]
    told: dict[str, Any] = json.loads(price("try", MODELS, against, *words, "--json"))
    return told


def test_an_answer_names_quantity_units_spans_price_amount_cost_and_what_priced_it() -> None:
    """100 s from 18:59:30 in New York; 90 s to a British mobile, 120 x 0.06 / 60 and 25 %."""
    split = tried(
        "basic", "usage_type=voice", "unit=s", "quantity=100", "started_at=2026-01-14T23:59:30Z"
    )["events"][0]
    resold = tried(
        "basic",
        "usage_type=resale",
        "unit=s",
        "quantity=90",
        "destination=447700900123",
        "started_at=2026-01-21T15:00:00Z",
    )["events"][0]

    assert (split["quantity"], split["billable_units"], split["amount"]) == ("100", "120", "0.18")
    assert split["spans"].startswith("peak 60")
    assert split["increments"] == "60/60"
    assert (resold["cost_amount"], resold["amount"], resold["cost_prefix"]) == (
        "0.12",
        "0.16",
        "4477",
    )
    assert resold["price_key"] == "resale"


@pytest.mark.parametrize(("day", "amount"), [("2026-01-05", "2"), ("2026-02-05", "3")])
def test_a_teaser_is_tried_as_the_subscription_has_it(day: str, amount: str) -> None:
    told = tried("S-1", "usage_type=login", f"started_at={day}T15:00:00Z", "user=ann", "region=no")

    assert told["prices"][0]["amount"] == amount


def test_an_event_without_a_price_says_why() -> None:
    told = price("try", TREE, "basic", "--event", "usage_type=fax")

    assert "no price: record 1: no_price, no price of plan basic takes usage type fax" in told


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("explain", TREE, "S-9", "access"), "tenant acme has no subscription 'S-9'"),
        (("explain", TREE, "S-A", "rent"), "no product 'rent'; there are"),
        (("try", TREE, "gold", "--event", "usage_type=voice"), "no plan and no subscription"),
        (("try", TREE, "basic", "--event", "voice"), "'voice' is no field=value"),
        (("try", TREE, "basic", "--event", "quantity=1"), "say what kind of usage it is"),
        (("try", TREE, "basic", "--event", "quantity=x"), "quantity=x is not a number"),
    ],
)
def test_a_name_that_is_not_there_is_named(words: tuple[str, ...], message: str) -> None:
    result = CliRunner().invoke(billing, ["price", *words])

    assert result.exit_code != 0
    assert message in str(result.exception)


def test_an_amount_of_agreed_prices_csv_is_an_agreement_with_the_subscription(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "acme"
    shutil.copytree(TREE, folder)
    (folder / "agreed_prices.csv").write_text(
        "subscription_key,price_key,amount,valid_from,valid_until\nS-A,fee,7,2026-01-18,2026-01-21\n"
    )

    during = price("explain", str(folder), "S-A", "access", "--at", "2026-01-20").splitlines()
    after = price("explain", str(folder), "S-A", "access", "--at", "2026-01-21").splitlines()

    assert during[2].startswith(
        "  -> 1. subscription S-A: agreed_prices.csv, from 2026-01-18 until 2026-01-21"
    )
    assert [line[2:8] for line in during[2:]] == ["-> 1. ", "   2. ", "   3. "]
    assert after[3].startswith("  -> 2. account SHOP-A: shop-a-fee")


def test_the_plan_is_that_of_the_day(tmp_path: Path) -> None:
    folder = tmp_path / "acme"
    shutil.copytree(TREE, folder)
    plans = (folder / "plans.yaml").read_text()
    other = plans.removeprefix("plans:\n").replace("key: basic", "key: plus")
    (folder / "plans.yaml").write_text(plans + other)
    (folder / "subscription_changes.csv").write_text(
        "subscription_key,effective_on,plan_key,quantity,status\nS-A,2026-01-20,plus,,\n"
    )

    before = price("explain", str(folder), "S-A", "access", "--at", "2026-01-19")
    since = price("explain", str(folder), "S-A", "access", "--at", "2026-01-20")

    assert "on plan basic" in before
    assert "on plan plus" in since
