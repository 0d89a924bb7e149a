"""Files that should have come, gaps in their numbers, identifiers nobody owns."""

import datetime as dt

import polars as pl

from billing_pipeline.assurance.deliveries import (
    files_expected,
    identifiers_without_owner,
    sequence_gaps,
)
from billing_pipeline.assurance.schema import LANDED_FILES
from billing_pipeline.catalog.feeds import Feed

FIRST, TODAY = dt.date(2026, 1, 1), dt.date(2026, 1, 5)


def feed(files_per_day: int | None = None) -> Feed:
    return Feed.model_validate(
        {
            "key": "cdr",
            "name": "CDRs",
            "match": {"file_name": r"(?P<source>[a-z]+)_(?P<sequence>[0-9]+)\.csv"},
            "frame": {"framing": "delimited", "header": "names"},
            "fields": {"line": {"required": True}, "at": {"required": True}},
            "event": {
                "usage_type": "voice",
                "service_identifier": "line",
                "started_at": "at",
                "quantity": "1",
                "unit": "call",
            },
            "checks": {"files_per_day": files_per_day},
        }
    )


def landed(*files: tuple[str, int, str]) -> pl.DataFrame:
    """Files as (name, day of January, state)."""
    rows = [
        {
            "feed_key": "cdr",
            "name": name,
            "file_key": f"digest of {name} {day}",
            "landing_day": dt.date(2026, 1, day),
            "state": state,
        }
        for name, day, state in files
    ]
    return pl.DataFrame(rows, schema=LANDED_FILES.polars_schema)


EVERY_DAY = [(f"a_{day}.csv", day, "loaded") for day in (1, 2, 3, 4)]


def test_a_file_on_every_day_is_what_is_expected() -> None:
    assert files_expected(landed(*EVERY_DAY), (feed(1),), FIRST, TODAY).is_empty()


def test_a_day_without_its_file_is_found_and_today_may_still_bring_one() -> None:
    found = files_expected(landed(*EVERY_DAY[:2], EVERY_DAY[3]), (feed(1),), FIRST, TODAY)

    assert found["subject"].to_list() == ["cdr 2026-01-03"]
    assert "0 of 1 files" in found.item(0, "message")


def test_a_refused_file_was_not_delivered() -> None:
    files = landed(*EVERY_DAY[:3], ("a_4.csv", 4, "quarantined"))

    assert files_expected(files, (feed(1),), FIRST, TODAY).height == 1


def test_days_before_the_first_file_and_feeds_without_expectation_are_passed_over() -> None:
    files = landed(("a_4.csv", 4, "loaded"))

    assert files_expected(files, (feed(1),), FIRST, TODAY).is_empty()
    assert files_expected(landed(EVERY_DAY[0]), (feed(),), FIRST, TODAY).is_empty()


def test_a_number_that_never_came_is_a_gap_of_its_source() -> None:
    files = landed(("a_1.csv", 1, "loaded"), ("a_4.csv", 1, "loaded"), ("b_1.csv", 1, "loaded"))

    found = sequence_gaps(files, (feed(),))

    assert found["subject"].to_list() == ["cdr a"]
    assert "files 2 to 3 (2) never came" in found.item(0, "message")


def test_the_gap_closes_when_the_late_file_comes_compressed() -> None:
    files = landed(("a_1.csv", 1, "loaded"), ("a_3.csv", 1, "loaded"), ("a_2.csv.gz", 2, "loaded"))

    assert sequence_gaps(files, (feed(),)).is_empty()


def test_one_number_with_two_contents_is_said_so() -> None:
    files = landed(("a_1.csv", 1, "loaded"), ("a_1.csv", 2, "loaded"))

    found = sequence_gaps(files, (feed(),))

    assert found["subject"].to_list() == ["cdr a 1"]


def test_identifiers_of_nobody_are_named_once_per_feed() -> None:
    suspense = pl.DataFrame(
        {
            "feed_key": ["cdr", "cdr", "cdr"],
            "reason": ["unknown_identifier", "unknown_identifier", "no_price"],
            "service_identifier": ["447", "448", "449"],
        }
    )

    found = identifiers_without_owner(suspense)

    assert found["subject"].to_list() == ["cdr"]
    assert "2 records of 2 identifiers belong to nobody; " in found.item(0, "message")
    assert identifiers_without_owner(suspense.tail(1)).is_empty()
