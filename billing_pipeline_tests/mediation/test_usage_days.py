"""Sessions, reversals and counters over two usage days: one day each, whatever came when."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_pipeline.catalog.feed_records import Assemble
from billing_pipeline.mediation.mediate import mediate
from billing_pipeline.mediation.reach import Reach
from billing_pipeline.mediation.usage_days import concerned_rows, records_of_day, reopened_days
from billing_pipeline.vocabulary.outcome import Outcome
from billing_pipeline_tests.mediation.test_mediate import ONE_OWNER, usage

MONDAY = dt.date(2026, 3, 2)
ONE_DAY = dt.timedelta(days=1)
SESSIONS = {"calls": Reach(session_days=1)}
REVERSALS = {"calls": Reach(reversal_days=31)}


def at(day: int, time: str = "12:00") -> dt.datetime:
    """An instant `day` days after Monday."""
    return dt.datetime.combine(MONDAY + day * ONE_DAY, dt.time.fromisoformat(time), tzinfo=dt.UTC)


def part(day: int, time: str, which: str, quantity: int, **changes: object) -> dict[str, object]:
    return {
        "started_at": at(day, time),
        "session_key": "s",
        "session_part": which,
        "session_mode": "delta",
        "quantity": Decimal(quantity),
        **changes,
    }


def mediated(records: pl.DataFrame, day: int, reach: Mapping[str, Reach] = SESSIONS) -> Outcome:
    """One day mediated from all that has come, as the step does."""
    today = MONDAY + day * ONE_DAY
    far = max((one.days for one in reach.values()), default=0) * ONE_DAY
    began = pl.col("started_at").dt.date()
    own = records.filter(began == today)
    around = records.filter(
        began != today, began.is_between(today - far, today + far), concerned_rows(reach)
    )
    released = [key for key, feed in reach.items() if feed.releases_incomplete]
    return mediate(records_of_day(own, around, today, reach), ONE_OWNER, released=released)


def quantities(records: pl.DataFrame, day: int, reach: Mapping[str, Reach]) -> list[int]:
    accepted = mediated(records, day, reach).accepted.sort("started_at")
    return [int(one) for one in accepted["quantity"].to_list()]


def test_a_call_over_midnight_is_one_event_of_its_first_day() -> None:
    call = usage(part(0, "23:50", "first", 600), part(1, "00:10", "last", 300))

    assert quantities(call, 0, SESSIONS) == [900]
    assert [frame.height for frame in mediated(call, 1)] == [0, 0, 0, 0]


def test_a_late_first_part_opens_the_day_of_the_last_again() -> None:
    last = usage(part(1, "00:10", "last", 300))
    first = usage(part(0, "23:50", "first", 600))

    waiting = mediated(last, 1)

    assert waiting.suspended["reason"].to_list() == ["incomplete_session"]
    assert reopened_days(first, SESSIONS["calls"]) == {MONDAY - ONE_DAY, MONDAY + ONE_DAY}
    both = pl.concat([last, first.with_columns(record_number=pl.lit(2, pl.Int64))])
    assert quantities(both, 0, SESSIONS) == [900]
    assert mediated(both, 1).suspended.height == 0


def test_parts_further_away_than_declared_wait_on_their_own_day() -> None:
    call = usage(part(0, "23:50", "first", 600), part(2, "00:10", "last", 300))

    assert [mediated(call, day).suspended.height for day in (0, 1, 2)] == [1, 0, 1]


def test_a_feed_may_count_incomplete_sessions_as_far_as_they_have_come() -> None:
    reach = {"calls": Reach(session_days=1, releases_incomplete=True)}
    begun = usage(part(0, "23:50", "first", 600))
    ended = usage(part(0, "23:50", "first", 600), part(1, "00:10", "last", 300))

    first, later = mediated(begun, 0, reach).accepted, mediated(ended, 0, reach).accepted

    assert first.select("quantity", "flags").rows() == [(Decimal(600), "incomplete_session")]
    assert later.select("quantity", "flags").rows() == [(Decimal(900), None)]


def test_cumulative_parts_over_midnight_count_once() -> None:
    parts = usage(
        part(0, "23:00", "first", 0, session_mode="cumulative"),
        part(0, "23:55", "middle", 700, session_mode="cumulative"),
        part(1, "00:30", "last", 1000, session_mode="cumulative"),
    )

    assert quantities(parts, 0, SESSIONS) == [1000]
    assert quantities(parts, 1, SESSIONS) == []


def test_a_reversal_goes_to_the_day_of_what_it_takes_back() -> None:
    call = {"identity": "x", "started_at": at(0), "quantity": Decimal(60)}
    back = {**call, "started_at": at(9), "record_kind": "reversal"}
    both = usage(call, back)

    assert mediated(both, 0, REVERSALS).filtered["reason"].to_list() == ["reversed", "reversed"]
    assert [frame.height for frame in mediated(both, 9, REVERSALS)] == [0, 0, 0, 0]
    assert MONDAY in reopened_days(usage(back), REVERSALS["calls"])


def test_a_reversal_later_than_declared_waits() -> None:
    call = {"identity": "x", "started_at": at(0)}
    both = usage(call, {**call, "started_at": at(32), "record_kind": "reversal"})

    late = mediated(both, 32, REVERSALS)

    assert late.suspended["reason"].to_list() == ["reversal_without_original"]
    assert mediated(both, 0, REVERSALS).accepted.height == 1


RECORD = st.fixed_dictionaries(
    {
        "started_at": st.builds(at, st.integers(0, 3), st.sampled_from(["00:00", "23:59"])),
        "session_key": st.sampled_from([None, "s", "t"]),
        "session_part": st.sampled_from(["first", "middle", "last"]),
        "session_mode": st.just("delta"),
        "identity": st.sampled_from(["x", "y", "z"]),
        "record_kind": st.sampled_from([None, None, "reversal"]),
        "quantity": st.integers(0, 9).map(Decimal),
    }
)


@settings(max_examples=20)
@given(st.lists(RECORD, max_size=8), st.integers(0, 2), st.integers(0, 3))
def test_every_record_belongs_to_exactly_one_day(
    records: list[dict[str, object]], session_days: int, reversal_days: int
) -> None:
    reach = {"calls": Reach(session_days=session_days, reversal_days=reversal_days)}
    given_records = usage(*records)

    days = [
        frame.select("record_number")
        for day in range(4)
        for frame in mediated(given_records, day, reach)
    ]

    assert (
        pl.concat(days)
        .sort("record_number")
        .equals(given_records.select("record_number").sort("record_number"))
    )


def reading(day: int, time: str, octets: int, **changes: object) -> dict[str, object]:
    return part(day, time, "middle", octets, session_mode="counter", **changes)


def counting(**changes: object) -> dict[str, Reach]:
    return {"calls": Reach(session_days=1, **changes)}  # type: ignore[arg-type]


def test_a_counter_is_billed_by_what_it_grew_also_over_midnight() -> None:
    readings = usage(
        reading(0, "23:50", 1000), reading(0, "23:55", 1600), reading(1, "00:00", 1700)
    )

    assert quantities(readings, 0, counting()) == [600]
    assert quantities(readings, 1, counting()) == [100]
    assert mediated(readings, 0, counting()).filtered["reason"].to_list() == ["first_reading"]


@pytest.mark.parametrize(
    ("reach", "which", "expected"),
    [
        pytest.param(counting(wraps_at=Decimal(2**32)), "middle", 200, id="a 32-bit wrap"),
        pytest.param(counting(wraps_at=Decimal(2**32)), "first", 100, id="a device that restarted"),
        pytest.param(counting(), "middle", 100, id="a counter that never wraps began anew"),
    ],
)
def test_a_smaller_reading_wrapped_or_began_anew(
    reach: dict[str, Reach], which: str, expected: int
) -> None:
    readings = usage(reading(0, "11:55", 2**32 - 100), reading(0, "12:00", 100, session_part=which))

    assert quantities(readings, 0, reach) == [expected]


def test_a_reading_repeated_in_two_files_counts_once() -> None:
    last = reading(0, "12:00", 1600, identity="r2")
    again = {**last, "file_key": "b", "record_number": 1}
    readings = usage(reading(0, "11:55", 1000), last, again, reading(0, "12:05", 1900))

    outcome = mediated(readings, 0, counting())

    assert sorted(outcome.accepted["quantity"].to_list()) == [Decimal(300), Decimal(600)]
    assert outcome.duplicates.height == 1


def test_counters_may_count_per_second_of_the_time_between() -> None:
    readings = usage(reading(0, "11:55", 0), reading(0, "12:00", 3000), reading(0, "12:10", 9000))

    assert quantities(readings, 0, counting(is_rate=True)) == [10, 10]


def test_a_gap_longer_than_declared_begins_a_new_baseline() -> None:
    readings = usage(reading(0, "12:00", 1000), reading(2, "12:00", 5000))

    assert mediated(readings, 2, counting()).filtered["reason"].to_list() == ["first_reading"]


@pytest.mark.parametrize(
    "given_words",
    [
        {"mode": "delta"},
        {"mode": "counter", "last_when": "kind == 'Stop'"},
        {"mode": "counter", "incomplete": "accept"},
        {"mode": "span", "first_when": "a == 1", "last_when": "a == 2", "counts": "per_second"},
    ],
)
def test_what_a_mode_does_not_know_is_refused(given_words: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"needs first_when|no last record|are for mode counter"):
        Assemble.model_validate({"key": "k", **given_words})
