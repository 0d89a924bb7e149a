"""ASN.1 BER: TAP3 by the shipped feed, places by tag numbers, and files that are damaged."""

import datetime as dt
import sys
from decimal import Decimal

import pytest

from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.mediation.framing.ber_places import Node, parsed_place
from billing_pipeline.mediation.match import matching_feed, name_facts
from billing_pipeline.mediation.refusal import FileRefused
from billing_pipeline_tests.mediation.ber_files import (
    ber,
    data_session,
    digits,
    mobile_originated,
    mobile_terminated,
    tap3,
    whole,
)
from billing_pipeline_tests.mediation.reading import decoded, refusal, shipped_feed

TAP3 = shipped_feed("tap3")
BATCH = tap3(
    mobile_originated("20260310120000", 75, 1250),
    mobile_originated("20260310130000", 60, 500, code=9),
    mobile_terminated("20260310120000", 30, 0),
    data_session("20260311000000", 3_000_000_000, 1_500, 12_345),
)


def test_a_tap3_batch_becomes_usage_at_the_visited_networks_charge() -> None:
    outcome = decoded(TAP3, BATCH)

    shown = outcome.accepted.select(
        "usage_type", "direction", "destination", "started_at", "quantity", "unit", "carried_amount"
    )
    assert shown.rows() == [
        (
            "roaming_voice", "outbound", "33142685300",
            dt.datetime(2026, 3, 10, 11, tzinfo=dt.UTC), Decimal(75), "s", Decimal("1.25"),
        ),
        (
            "roaming_voice", "inbound", None,
            dt.datetime(2026, 3, 10, 15, 30, tzinfo=dt.UTC), Decimal(30), "s", Decimal(0),
        ),
        (
            "roaming_data", "outbound", None,
            dt.datetime(2026, 3, 10, 23, tzinfo=dt.UTC), Decimal(3_000_001_500), "byte",
            Decimal("12.345"),
        ),
    ]  # fmt: skip
    assert outcome.accepted["service_identifier"].unique().to_list() == ["447700900042"]
    # An offset code that the file's table does not have leaves no instant; nothing is guessed.
    assert outcome.suspended.select("record_number", "reason").rows() == [(2, "missing_required")]
    assert outcome.filtered["reason"].to_list() == ["control_record"]


def test_a_tap3_file_that_lost_events_is_held_with_both_numbers() -> None:
    lost = tap3(mobile_originated("20260310120000", 75, 1250), counted=2)

    with pytest.raises(FileRefused, match="the trailer says 2 records, the file has 1"):
        decoded(TAP3, lost)


def test_a_tap3_name_tells_sender_recipient_and_sequence() -> None:
    assert matching_feed("CDFRAF1GBRCN00042", [TAP3]) == TAP3
    facts = name_facts("CDFRAF1GBRCN00042", TAP3)
    assert (facts.source, facts.sequence) == ("FRAF1GBRCN", 42)


@pytest.mark.parametrize("cut", [1, 2, 50, len(BATCH) // 2, len(BATCH) - 1])
def test_a_tap3_file_cut_short_is_held_whole(cut: int) -> None:
    assert refusal(TAP3, BATCH[:cut]) in ("malformed_document", "missing_trailer")


def test_another_asn1_file_is_held() -> None:
    assert refusal(TAP3, ber([(2, [(196, b"FRAF1")])])) == "malformed_document"
    assert refusal(TAP3, b"kind,caller\n1,2\n") == "malformed_document"


def test_elements_nested_without_end_are_held() -> None:
    assert refusal(TAP3, b"\x61\x80\x63\x80" + b"\x69\x80" * 100_000) == "malformed_document"


def test_without_the_extra_the_file_is_held_and_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "asn1", None)

    with pytest.raises(FileRefused, match=r"install billing-pipeline\[asn1\]"):
        decoded(TAP3, BATCH)


RECORD = Node(
    9,
    b"",
    (
        Node(1, digits("12345")),
        Node(2, whole(-7)),
        Node(2, whole(9)),
        Node(3, b"", (Node(71, b"01"), Node(62, whole(5))), is_open=True),
        Node(3, b"", (Node(71, b"00"), Node(62, whole(8))), is_open=True),
        Node(4, whole(3)),
        Node(6, bytes.fromhex("2143f5")),
    ),
    is_open=True,
)


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("1:bcd", "12345"),
        ("6:tbcd", "12345"),
        ("1:hex", "12345f"),
        ("2:integer", "-7"),
        ("2:sum", "2"),
        ("3/62:sum", "13"),
        ("3[71=00]/62:integer", "8"),
        ("*[71=00]/62:integer", "8"),
        ("3/71", "01"),
        ("4:power10", "1000"),
        ("2:power10", None),
        ("3", None),  # an element of elements has no text
        ("5:integer", None),
        ("5:sum", None),
        ("nonsense", None),
    ],
)
def test_a_place_leads_to_a_text(place: str, expected: str | None) -> None:
    assert parsed_place(place).read(RECORD) == expected


@pytest.mark.parametrize("path", ["", "1//3", "a/b", "1/3/"])
def test_a_path_of_records_that_is_none_is_refused_when_the_feed_is_read(path: str) -> None:
    given = TAP3.model_dump(mode="json", exclude_defaults=True)
    given["frame"]["records"] = [path]

    with pytest.raises(ValueError, match="is no path of tag numbers"):
        Feed.model_validate(given)
