"""Every rated event is kept, charged, and charged in time; totals hold when summed another way."""

import datetime as dt
from decimal import Decimal

import polars as pl

from billing_pipeline.assurance.rederived import rederived_books, rederived_usage
from billing_pipeline.assurance.schema import CONSERVATION, LAKE_PARTS
from billing_pipeline.assurance.usage_kept import (
    parts_intact,
    suspense_value,
    unbilled_age,
    usage_charged,
    usage_conserved,
)
from billing_pipeline_tests.accounting.builders import Document, invoices_frame
from billing_pipeline_tests.assurance.given import CATALOG, FEBRUARY, JANUARY, charge, used

USED = used((JANUARY, 10, "0.50"), (dt.date(2026, 1, 31), 2, "0.10"), (FEBRUARY, 5, "0.25"))
JANUARYS = charge("usage", "minutes", "0.60", events=12)


def test_files_of_the_lake_that_are_gone_or_changed_are_named() -> None:
    parts = pl.DataFrame(
        [
            ("rated_usage", JANUARY, "part-a", 1, None),
            ("rated_usage", JANUARY, "part-b", 1, "changed"),
            ("raw_usage", JANUARY, "part-c", 1, "missing"),
        ],
        schema=LAKE_PARTS.polars_schema,
        orient="row",
    )

    assert parts_intact(parts)["subject"].to_list() == ["part-b", "part-c"]


def test_a_day_of_which_the_lake_lost_events_is_found() -> None:
    row = dict.fromkeys(CONSERVATION.names, 0) | {
        "stage": "rate",
        "partition_day": JANUARY,
        "tenant_key": "acme",
        "feed_key": "",
        "accepted": 10,
        "quantity_in": Decimal(0),
        "quantity_out": Decimal(0),
    }
    counted = pl.DataFrame({"partition_day": [JANUARY], "events": [10]})
    conservation = pl.DataFrame([row], schema=CONSERVATION.polars_schema)

    assert usage_conserved(counted, conservation).is_empty()
    assert usage_conserved(counted.clear(), conservation).height == 1
    doubled = counted.with_columns(pl.col("events") * 2)
    assert "rating counted 10 events, the lake holds 20" in usage_conserved(
        doubled, conservation
    ).item(0, "message")


def test_a_charge_holds_the_events_of_its_days_and_no_other() -> None:
    assert usage_charged(JANUARYS, USED).is_empty()

    found = usage_charged(JANUARYS.with_columns(events=pl.lit(17, pl.Int64)), USED)

    assert found.select("control", "account_key").rows() == [("usage_charged", "A1")]
    assert "charges 17 events, 12 are rated" in found.item(0, "message")


def test_usage_without_a_charge_is_found_when_it_has_waited_too_long() -> None:
    on_time = unbilled_age(USED, JANUARYS, dt.date(2026, 3, 13), Decimal(40))
    late = unbilled_age(USED, JANUARYS, dt.date(2026, 3, 14), Decimal(40))

    assert on_time.is_empty()
    assert late["subject"].to_list() == ["S1"]
    assert "5 rated events worth 0.25" in late.item(0, "message")


def test_the_value_of_what_waits_is_estimated_at_the_average_price() -> None:
    waiting = pl.DataFrame({"feed_key": ["cdr"]})

    assert suspense_value(waiting, USED, Decimal(6)).is_empty()  # 1 of 18 is 5.6 %
    found = suspense_value(waiting, USED, Decimal(5))
    assert "1 records wait beside 17 rated events, at an average price of 0.050000" in found.item(
        0, "message"
    )


def test_a_usage_charge_is_the_sum_of_its_events() -> None:
    assert rederived_usage(JANUARYS, USED, CATALOG).is_empty()

    doubled = JANUARYS.with_columns(amount=pl.col("amount") * 2)

    found = rederived_usage(
        doubled.with_columns(pl.col("amount").cast(pl.Decimal(38, 10))), USED, CATALOG
    )
    assert found["account_key"].to_list() == ["A1"]
    assert "charges 1.2000000000, its rated events sum to 0.6000000000" in found.item(0, "message")


def test_prices_with_included_units_are_not_the_sum_of_their_events() -> None:
    pooled = charge("usage", "bundled", "0.10", events=12)

    assert rederived_usage(pooled, used((JANUARY, 12, "0.60"), price="bundled"), CATALOG).is_empty()


def booked(receivable: int) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "currency": "GBP",
            "posting_rule": "invoice",
            "role": ["receivable", "revenue", "tax"],
            "amount_minor": [receivable, -1000, -200],
        }
    )


def test_all_documents_come_to_what_the_journal_comes_to() -> None:
    documents = invoices_frame([Document("INV-1", [("calls", 1000)], [("S", "20", 200)])])

    assert rederived_books(documents, booked(1200)).is_empty()
    assert rederived_books(documents, booked(1201))["subject"].to_list() == ["GBP"]
    assert rederived_books(documents, booked(1200).clear()).height == 1
