"""Mediation of a day: duplicates, conflicts, owners as of the event's time."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_pipeline.mediation import deduplicate
from billing_pipeline.mediation.deduplicate import ORDER, in_order
from billing_pipeline.mediation.guide import OverlappingOwners
from billing_pipeline.mediation.mediate import mediate
from billing_pipeline.mediation.schema import GUIDE, RAW_USAGE

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
ALWAYS = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


def usage(*rows: Mapping[str, object]) -> pl.DataFrame:
    plain: dict[str, object] = {
        **dict.fromkeys(RAW_USAGE.names),
        "feed_key": "calls",
        "file_key": "a",
        "usage_type": "voice",
        "service_identifier": "442079460001",
        "started_at": NOON,
        "quantity": Decimal(60),
        "unit": "s",
    }
    full = [
        {**plain, "record_number": at, "identity": f"c{at}", **row}
        for at, row in enumerate(rows, start=1)
    ]
    return pl.DataFrame(full, schema=RAW_USAGE.polars_schema)


def owner(number: str, subscription: str, **changes: object) -> dict[str, object]:
    return {
        "identifier": number,
        "match": "exact",
        "status": "assigned",
        "tenant_key": f"tenant-{subscription}",
        "account_key": f"account-{subscription}",
        "subscription_key": subscription,
        "valid_from": ALWAYS,
        "valid_until": None,
        "service_from": ALWAYS,
        "service_until": None,
        **changes,
    }


def guide(*rows: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=GUIDE.polars_schema)


ONE_OWNER = guide(owner("442079460001", "s1"))


def test_an_event_is_guided_to_the_owner_of_its_identifier() -> None:
    event = mediate(usage({}), ONE_OWNER).accepted.row(0, named=True)

    assert (event["tenant_key"], event["account_key"], event["subscription_key"]) == (
        "tenant-s1",
        "account-s1",
        "s1",
    )


def test_a_number_moved_at_noon_splits_at_noon() -> None:
    moved = guide(
        owner("442079460001", "s1", valid_until=NOON), owner("442079460001", "s2", valid_from=NOON)
    )
    rows = [{"started_at": NOON - HOUR / 3600}, {"started_at": NOON}, {"started_at": NOON + HOUR}]

    outcome = mediate(usage(*rows), moved)

    assert outcome.accepted["subscription_key"].to_list() == ["s1", "s2", "s2"]


def test_two_brands_on_one_feed_each_get_their_own_events() -> None:
    brands = guide(owner("18005550100", "a"), owner("18005550199", "b"))
    rows = [{"service_identifier": "18005550199"}, {"service_identifier": "18005550100"}]

    outcome = mediate(usage(*rows), brands)

    assert outcome.accepted["tenant_key"].to_list() == ["tenant-b", "tenant-a"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"valid_from": NOON + HOUR}, "outside_subscription", id="not yet owned"),
        pytest.param({"valid_until": NOON}, "outside_subscription", id="no longer owned"),
        pytest.param({"service_from": NOON + HOUR}, "outside_subscription", id="before service"),
        pytest.param({"service_until": NOON}, "outside_subscription", id="after service"),
        pytest.param({"identifier": "44"}, "unknown_identifier", id="another identifier"),
    ],
)
def test_an_event_without_owner_waits_in_suspense(changes: dict[str, object], reason: str) -> None:
    outcome = mediate(usage({}), guide(owner("442079460001", "s1", **changes)))

    assert outcome.suspended["reason"].to_list() == [reason]
    assert outcome.suspended["quantity"].to_list() == [Decimal(60)]


def test_the_same_record_in_two_files_counts_once() -> None:
    rows = usage({"identity": "x"}, {"identity": "x", "file_key": "b"}, {"identity": "x"})

    outcome = mediate(rows, ONE_OWNER)

    assert outcome.accepted.height == 1
    assert outcome.duplicates["reason"].to_list() == ["duplicate", "duplicate"]


def test_one_identity_with_other_content_is_a_conflict_and_never_billed_twice() -> None:
    outcome = mediate(
        usage({"identity": "x"}, {"identity": "x", "quantity": Decimal(90)}), ONE_OWNER
    )

    assert outcome.accepted["quantity"].to_list() == [Decimal(60)]
    assert outcome.suspended["reason"].to_list() == ["conflicting_duplicate"]


def test_one_identity_in_two_feeds_is_two_events() -> None:
    outcome = mediate(usage({"identity": "x"}, {"identity": "x", "feed_key": "b"}), ONE_OWNER)

    assert outcome.accepted.height == 2


def test_the_greatest_version_supersedes_the_others() -> None:
    rows = usage(
        {"identity": "x", "version": "20260301"},
        {"identity": "x", "version": "20260309", "quantity": Decimal(7)},
        {"identity": "x", "version": "20260305", "quantity": Decimal(5)},
    )

    outcome = mediate(rows, ONE_OWNER)

    assert outcome.accepted["quantity"].to_list() == [Decimal(7)]
    assert outcome.duplicates["reason"].to_list() == ["superseded", "superseded"]


def test_a_guide_with_two_owners_at_once_is_refused() -> None:
    with pytest.raises(OverlappingOwners, match="442079460001"):
        mediate(usage({}), guide(owner("442079460001", "s1"), owner("442079460001", "s2")))


def test_no_usage_gives_no_events() -> None:
    assert all(part.height == 0 for part in mediate(RAW_USAGE.empty(), GUIDE.empty()))


def session(mode: str, *parts: tuple[str, int, int]) -> pl.DataFrame:
    """Parts as (part, minutes after noon, quantity)."""
    return usage(
        *(
            {
                "session_key": "s",
                "session_part": part,
                "session_mode": mode,
                "started_at": NOON + dt.timedelta(minutes=minutes),
                "quantity": Decimal(amount),
            }
            for part, minutes, amount in parts
        )
    )


@pytest.mark.parametrize(
    ("mode", "parts", "expected"),
    [
        ("delta", [("first", 0, 10), ("middle", 5, 20), ("last", 9, 30)], 60),
        ("cumulative", [("first", 0, 10), ("middle", 5, 20), ("last", 9, 30)], 30),
        ("cumulative", [("last", 9, 30)], 30),
        ("span", [("last", 2, 0), ("first", 0, 0)], 120),
    ],
)
def test_parts_of_a_session_become_one_event(
    mode: str, parts: list[tuple[str, int, int]], expected: int
) -> None:
    given_usage = session(mode, *parts)

    outcome = mediate(given_usage, ONE_OWNER)

    assert outcome.accepted["quantity"].to_list() == [Decimal(expected)]
    assert outcome.accepted["started_at"].to_list() == [given_usage["started_at"].min()]
    assert outcome.filtered["reason"].to_list() == ["assembled"] * (len(parts) - 1)


@pytest.mark.parametrize(
    ("mode", "parts"),
    [
        ("delta", [("first", 0, 10), ("middle", 5, 20)]),
        ("delta", [("middle", 5, 20), ("last", 6, 20)]),
        ("cumulative", [("first", 0, 10)]),
        ("span", [("last", 2, 0)]),
    ],
)
def test_a_session_with_a_part_missing_waits_in_suspense(
    mode: str, parts: list[tuple[str, int, int]]
) -> None:
    outcome = mediate(session(mode, *parts), ONE_OWNER)

    assert outcome.suspended["reason"].to_list() == ["incomplete_session"] * len(parts)


def test_a_reversal_takes_back_its_original_and_both_are_kept() -> None:
    rows = usage({"identity": "x"}, {"identity": "x", "record_kind": "reversal"}, {})

    outcome = mediate(rows, ONE_OWNER)

    assert outcome.accepted["record_number"].to_list() == [3]
    assert outcome.filtered["reason"].to_list() == ["reversed", "reversed"]


def test_a_reversal_without_original_waits_in_suspense() -> None:
    outcome = mediate(usage({"record_kind": "reversal"}), ONE_OWNER)

    assert outcome.suspended["reason"].to_list() == ["reversal_without_original"]


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "identity": st.sampled_from("xyz"),
            "file_key": st.sampled_from("ab"),
            "quantity": st.integers(-5, 5).map(Decimal),
            "version": st.sampled_from([None, "1", "2"]),
            "service_identifier": st.sampled_from(["442079460001", "unknown"]),
            "record_kind": st.sampled_from([None, None, "reversal"]),
            "session_key": st.sampled_from([None, None, "s", "t"]),
            "session_part": st.sampled_from(["first", "middle", "last"]),
            "session_mode": st.just("delta"),
        }
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=50)
@given(rows=ROWS, seed=st.integers(0, 10))
def test_nothing_is_lost_and_the_order_of_rows_does_not_matter(
    rows: list[dict[str, object]], seed: int
) -> None:
    given_usage = usage(*rows)

    outcome = mediate(given_usage, ONE_OWNER)
    shuffled = mediate(given_usage.sample(fraction=1, shuffle=True, seed=seed), ONE_OWNER)

    assert sum(part.height for part in outcome) == len(rows)
    for one, other in zip(outcome, shuffled, strict=True):
        assert one.equals(other)


@settings(max_examples=60)
@given(
    st.lists(
        st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 30)), max_size=6), max_size=6
    ),
    st.sampled_from([1, 3, 256]),
)
def test_records_in_runs_are_put_in_order(
    runs: list[list[tuple[str, int]]], most_runs: int
) -> None:
    """Runs that overlap too, and more of them than are worth looking at."""
    rows = [{"file_key": file, "record_number": at} for run in runs for file, at in sorted(run)]
    records = usage(*rows)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(deduplicate, "MOST_RUNS", most_runs)
        ordered = in_order(records)

    assert ordered.select(ORDER).equals(records.select(ORDER).sort(*ORDER))
    assert sorted(ordered["identity"]) == sorted(records["identity"])
