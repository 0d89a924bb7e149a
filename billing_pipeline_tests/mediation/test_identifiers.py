"""Identifiers by prefix and range: who owns an event, and what use and inventory disagree on."""

import datetime as dt

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_pipeline.mediation.inventory import identifier_gaps
from billing_pipeline.mediation.mediate import mediate
from billing_pipeline.vocabulary.identifier_keys import bounds_of, range_key
from billing_pipeline_tests.mediation.test_mediate import (
    ALWAYS,
    HOUR,
    NOON,
    guide,
    owner,
    usage,
)


def owner_of(identifier: str, *rows: dict[str, object], at: dt.datetime = NOON) -> str | None:
    """Subscription of one event, or the reason for which it waits."""
    outcome = mediate(usage({"service_identifier": identifier, "started_at": at}), guide(*rows))
    if outcome.accepted.height:
        return str(outcome.accepted["subscription_key"][0])
    return str(outcome.suspended["reason"][0])


def ranged(text: str, subscription: str, **changes: object) -> dict[str, object]:
    return owner(text, subscription, match="range", **changes)


def prefixed(text: str, subscription: str, **changes: object) -> dict[str, object]:
    return owner(text, subscription, match="prefix", **changes)


NUMBERS = (
    prefixed("1800555", "by-prefix"),
    prefixed("18005550", "by-longer-prefix"),
    ranged("18005550100-18005550199", "by-range"),
    ranged("18005550140-18005550149", "by-narrower-range"),
    owner("18005550142", "by-itself"),
)


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("18005550142", "by-itself"),
        ("18005550141", "by-narrower-range"),
        ("18005550140", "by-narrower-range"),
        ("18005550149", "by-narrower-range"),
        ("18005550150", "by-range"),
        ("18005550199", "by-range"),
        ("18005550200", "by-longer-prefix"),
        ("180055501421", "by-longer-prefix"),  # a digit too many is in no range
        ("1800555", "by-prefix"),
        ("180055", "unknown_identifier"),
        ("x18005550142", "unknown_identifier"),
    ],
)
def test_the_specific_comes_before_the_general(identifier: str, expected: str) -> None:
    assert owner_of(identifier, *NUMBERS) == expected


@pytest.mark.parametrize(
    ("identifier", "expected"),
    [
        ("10.0.0.1", "house"),
        ("10.0.0.255", "house"),
        ("10.0.0.7", "office"),
        ("10.0.1.0", "unknown_identifier"),
        ("2001:DB8::1", "six"),
        ("2001:db8:0:0:ffff::", "six"),
        ("2001:db9::", "unknown_identifier"),
    ],
)
def test_addresses_are_owned_by_network_and_span(identifier: str, expected: str) -> None:
    networks = (
        ranged("10.0.0.0/24", "house"),
        ranged("10.0.0.5-10.0.0.9", "office"),
        ranged("2001:db8::/64", "six"),
    )

    assert owner_of(identifier, *networks) == expected


def test_a_number_of_a_range_moves_at_an_instant_and_comes_back() -> None:
    moved = (
        ranged("100-199", "everyone"),
        owner("142", "one", valid_from=NOON, valid_until=NOON + HOUR),
    )

    spans = [owner_of("142", *moved, at=NOON + step * HOUR / 2) for step in (-1, 0, 1, 2)]

    assert spans == ["everyone", "one", "one", "everyone"]


def test_a_range_changes_hands_as_a_whole() -> None:
    rows = (
        ranged("100-199", "old", valid_until=NOON),
        ranged("100-199", "new", valid_from=NOON),
    )

    assert owner_of("150", *rows, at=NOON - HOUR) == "old"
    assert owner_of("150", *rows) == "new"


@pytest.mark.parametrize("status", ["in_stock", "ported_out", "quarantined"])
def test_what_nobody_has_waits_as_unassigned(status: str) -> None:
    free = {"status": status, "subscription_key": None, "account_key": None, "service_from": None}

    assert owner_of("150", ranged("100-199", "", **free)) == "unassigned_identifier"
    assert owner_of("150", owner("150", "", **free)) == "unassigned_identifier"
    assert owner_of("150", ranged("100-199", "", **free), owner("150", "s")) == "s"


def test_a_span_that_has_ended_is_no_unknown_number() -> None:
    ended = ranged("100-199", "old", valid_until=NOON - HOUR)

    assert owner_of("150", ended) == "outside_subscription"


def test_a_subscription_not_in_service_does_not_fall_back_to_the_range() -> None:
    later = owner("150", "one", service_from=NOON + HOUR)

    assert owner_of("150", ranged("100-199", "everyone"), later) == "outside_subscription"


PATTERN = st.one_of(
    st.builds(
        lambda a, b: (f"{min(a, b):03}-{max(a, b):03}", "range"),
        st.integers(0, 99),
        st.integers(0, 99),
    ),
    st.builds(lambda p: (p, "prefix"), st.text("0123", min_size=1, max_size=3)),
)
NUMBER = st.text("0123", min_size=1, max_size=4)


@settings(max_examples=20)  # each looks up many numbers at once
@given(st.lists(PATTERN, max_size=8, unique=True), st.lists(NUMBER, min_size=20, max_size=60))
def test_the_flattened_lookup_finds_what_a_plain_search_finds(
    patterns: list[tuple[str, str]], numbers: list[str]
) -> None:
    """Innermost range: begins last, ends first; else the longest prefix that fits."""
    rows = [owner(text, f"{kind} {text}", match=kind) for text, kind in patterns]
    outcome = mediate(usage(*({"service_identifier": one} for one in numbers)), guide(*rows))
    found = dict(outcome.accepted.select("record_number", "subscription_key").rows())

    assert found == {
        at: owned for at, one in enumerate(numbers, 1) if (owned := _plain(one, patterns))
    }


def _plain(number: str, patterns: list[tuple[str, str]]) -> str | None:
    spans = [text for text, kind in patterns if kind == "range"]
    inside = [
        (first, last)
        for first, last in (text.split("-") for text in spans)
        if len(number) == len(first) and first <= number <= last
    ]
    if inside:
        first, last = min(inside, key=lambda span: (-int(span[0]), int(span[1])))
        return f"range {first}-{last}"
    fitting = [text for text, kind in patterns if kind == "prefix" and number.startswith(text)]
    return f"prefix {max(fitting, key=len)}" if fitting else None


@pytest.mark.parametrize(
    "text", ["100-99", "100-1999", "5", "a-b", "1-2-3", "10.0.0.1/24", "10.0.0.0-100", "::/129"]
)
def test_what_is_no_range_takes_nothing(text: str) -> None:
    first, end = bounds_of(pl.Series([text]), pl.Series(["range"]))

    assert (first.to_list(), end.to_list()) == ([None], [None])


@pytest.mark.parametrize(
    "text", ["10.0.0.256", "1.2.3", "1:2:3", "fe80::1::2", "1:2:3:4:5:6:7:8:9", "alice", "", "٣"]
)
def test_what_is_no_number_and_no_address_has_no_place_among_ranges(text: str) -> None:
    assert pl.DataFrame({"text": [text]}).select(range_key(pl.col("text"))).item() is None


def test_equal_addresses_have_equal_places_however_they_are_written() -> None:
    written = pl.DataFrame({"text": ["2001:DB8::1", "2001:0db8:0:0:0:0:0:0001", "2001:db8:0::1"]})

    assert written.select(range_key(pl.col("text")).n_unique()).item() == 1


def test_use_and_inventory_are_held_against_each_other() -> None:
    free = {"status": "quarantined", "subscription_key": None, "account_key": None}
    rows = guide(
        ranged("100-199", "s1"),
        ranged("300-399", "s2"),
        owner("400", "s3"),
        owner("500", "s4"),
        owner("150", "", **free),
    )
    given_usage = usage(
        {"service_identifier": "101"},
        {"service_identifier": "400"},
        {"service_identifier": "150"},
        {"service_identifier": "999"},
        {"service_identifier": "999", "started_at": NOON + HOUR},
    )
    outcome = mediate(given_usage, rows)

    gaps = identifier_gaps(
        rows, outcome.accepted.lazy(), outcome.suspended.lazy(), (ALWAYS, NOON + 2 * HOUR)
    )

    columns = ("finding", "identifier", "status", "subscription_key", "records")
    assert gaps.select(columns).rows() == [
        ("used_not_assigned", "150", "quarantined", None, 1),
        ("used_not_assigned", "999", None, None, 2),
        ("assigned_not_used", "300-399", "assigned", "s2", 0),
        ("assigned_not_used", "500", "assigned", "s4", 0),
    ]
    assert gaps.filter(pl.col("identifier") == "999")["last_at"].item() == NOON + HOUR
