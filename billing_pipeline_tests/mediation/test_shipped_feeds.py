"""Shipped feeds: what their records become, with figures worked by hand."""

import csv
import datetime as dt
import io
import json
from decimal import Decimal

import pytest

from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.intake.shipped_feeds import shipped_feeds
from billing_pipeline.mediation.plan import plan_of
from billing_pipeline.vocabulary.outcome import Outcome
from billing_pipeline_tests.mediation.reading import decoded, reasons
from billing_pipeline_tests.mediation.test_real_samples import OURS, content


def load(key: str, name: str) -> Outcome:
    return decoded(shipped_feeds()[key], content(OURS / name))


@pytest.mark.parametrize("feed", shipped_feeds().values(), ids=lambda feed: feed.key)
def test_every_shipped_feed_compiles_and_says_what_it_is_for(feed: Feed) -> None:
    assert plan_of(feed).event
    assert feed.description


@pytest.mark.parametrize("columns", [16, 17, 18, 21])
def test_every_column_variant_of_asterisk_is_read(columns: int) -> None:
    full = [
        "acc", "2125550100", "3015550199", "ctx", '"Bob" <1>', "SIP/1", "SIP/2", "Dial", "a,b",
        "2026-03-02 10:00:00", "2026-03-02 10:00:05", "2026-03-02 10:01:05", "65", "60",
        "ANSWERED", "DOCUMENTATION", "1772445600.1", "", "", "1772445600.1", "7",
    ]  # fmt: skip
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL).writerow(full[:columns])

    outcome = decoded(shipped_feeds()["asterisk_cdr"], text.getvalue())

    assert outcome.accepted["quantity"].to_list() == [Decimal(60)]
    assert outcome.accepted["service_identifier"].to_list() == ["12125550100"]


def test_meter_intervals_begin_in_market_time_and_carry_ranged_quality() -> None:
    outcome = load("nem12", "NEM12#Scenario06#ETSAMDP#NEMMCO.zip")

    first = outcome.accepted.row(0, named=True)
    assert first["started_at"] == dt.datetime(2005, 1, 4, 14, tzinfo=dt.UTC)
    assert first["service_identifier"] == "NEM1206111"
    assert (first["quantity"], first["unit"]) == (Decimal("8.51"), "kwh")
    fourth_day = outcome.accepted.slice(3 * 48, 48)["attributes"].str.json_path_match("$.quality")
    assert fourth_day.to_list() == ["A"] * 24 + ["E52"] * 24


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("invalid_Example_NEM12_30min_200_15min_300.csv", "column_count"),
        ("invalid_Example_NEM12_incomplete_interval.csv", "column_count"),
    ],
)
def test_a_broken_meter_day_is_suspended_and_the_others_load(name: str, reason: str) -> None:
    outcome = load("nem12", name)

    assert reasons(outcome) == {reason: 1}
    assert outcome.accepted.height % 48 == 0


def test_freeswitch_records_load_with_unescaped_quotes_in_a_name() -> None:
    def row(name: str, uuid: str, answer: str) -> str:
        return (
            f'"{name}","02079460001","00442079460002","default","2026-03-02 10:00:00","{answer}",'
            f'"2026-03-02 10:01:00","60","55","NORMAL_CLEARING","{uuid}","","acme","PCMA","PCMA"\n'
        )

    text = row('Bob "The" Man', "u1", "2026-03-02 10:00:05") + row("Ann", "u2", "")

    outcome = decoded(shipped_feeds()["freeswitch_csv"], text)

    event = outcome.accepted.row(0, named=True)
    assert (event["service_identifier"], event["destination"]) == ("442079460001", "442079460002")
    assert event["flags"] == "tolerant_quotes"
    assert outcome.filtered["reason"].to_list() == ["not_billable"]


def test_cloud_events_are_counted_by_type_and_subject() -> None:
    events = [
        {"specversion": "1.0", "id": "1", "source": "gw", "type": "api_call",
         "subject": "customer-1", "time": "2026-03-02T10:00:00.5+01:00"},
        {"specversion": "1.0", "id": "2", "source": "gw", "type": "api_call",
         "subject": "customer-1", "time": "2026-03-02T10:00:00Z",
         "data": {"quantity": "12.25", "tokens": [1, 2]}},
        {"specversion": "1.0", "id": "3", "source": "gw", "type": "api_call",
         "time": "2026-03-02T10:00:00Z"},
    ]  # fmt: skip
    lines = [json.dumps(event) + "\n" for event in events]
    lines.append('{"id": "4", "id": "5", "source": "gw"}\n')
    lines.append('{"id": "6", "sour\n')

    outcome = decoded(shipped_feeds()["cloudevents"], "".join(lines))

    assert outcome.accepted.select("identity", "quantity").rows() == [
        ("gw/1", Decimal(1)),
        ("gw/2", Decimal("12.25")),
    ]
    assert outcome.accepted["started_at"][0] == dt.datetime(2026, 3, 2, 9, 0, 0, 500_000, dt.UTC)
    assert reasons(outcome) == {"missing_required": 1, "invalid_syntax": 2}
    assert outcome.suspended["record_number"].to_list() == [3, 4, 5]


def test_json_numbers_keep_every_digit() -> None:
    line = (
        '{"id":"1","source":"s","type":"t","subject":"c","time":"2026-03-02T10:00:00Z",'
        '"data":{"quantity":12345678901234567.0123456789}}\n'
    )

    outcome = decoded(shipped_feeds()["cloudevents"], line)

    assert outcome.accepted["quantity"].to_list() == [Decimal("12345678901234567.0123456789")]


def test_interface_samples_become_rates() -> None:
    text = (
        "interface,direction,sampled_at,octets,interval_s\n"
        "ae0,in,1772445600,37500000,300\n"
        "ae0,out,1772445600,75000000,300\n"
    )

    outcome = decoded(shipped_feeds()["interface_counters"], text)

    assert outcome.accepted.select("direction", "quantity", "unit").rows() == [
        ("inbound", Decimal(1_000_000), "bit/s"),
        ("outbound", Decimal(2_000_000), "bit/s"),
    ]


def test_generic_voip_rows_load_under_other_column_names() -> None:
    text = (
        "uuid,from,to,start_time,duration,status\n"
        "1,02079460001,+33142000000,2026-03-02T10:00:00Z,61,completed\n"
    )

    outcome = decoded(shipped_feeds()["voip_csv"], text)

    assert outcome.accepted["quantity"].to_list() == [Decimal(61)]
