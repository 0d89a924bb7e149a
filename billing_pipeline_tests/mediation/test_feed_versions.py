"""Two versions of a feed: a declared date chooses which of them reads a file."""

import datetime as dt

import pytest

from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.entries import catalog_entries, feeds_from_entries
from billing_pipeline.catalog.feed_versions import check_feed_versions, feed_file, versions_of
from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.mediation.match import version_for_file
from billing_pipeline.mediation.refusal import FileRefused
from billing_pipeline_tests.mediation.reading import CALLS, feed

JUNE = dt.date(2026, 6, 1)
BY_NAME: dict[str, object] = {
    "match": {"file_name": r"calls_(?P<date>[0-9-]+)\.csv"},
    "version_by": "name",
}


def versions(**changes: object) -> list[Feed]:
    given: list[dict[str, object]] = [{"valid_from": JUNE, **changes}, changes, {"key": "other"}]
    return versions_of([feed(CALLS, **change) for change in given], "calls")


@pytest.mark.parametrize(
    ("landed_on", "expected"),
    [(dt.date(2026, 5, 31), None), (JUNE, JUNE), (dt.date(2027, 1, 1), JUNE)],
)
def test_the_day_a_file_landed_chooses_its_version(
    landed_on: dt.date, expected: dt.date | None
) -> None:
    assert version_for_file("calls.csv", landed_on, versions()).valid_from == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("calls_20260531.csv", None), ("calls_2026-06-01.csv.gz", JUNE)],
)
def test_or_the_date_in_its_name_whenever_it_landed(name: str, expected: dt.date | None) -> None:
    landed_on = dt.date(2026, 7, 15)

    assert version_for_file(name, landed_on, versions(**BY_NAME)).valid_from == expected


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("other.txt", versions(), "no feed takes a file named 'other.txt'"),
        ("calls_2026-13-01.csv", versions(**BY_NAME), "has no date to choose the version"),
        (
            "calls.csv",
            versions()[1:],
            "in force on 2026-05-01 takes 'calls.csv'; versions hold from: 2026-06-01",
        ),
        (
            "calls.csv",
            [feed(match={"file_name": "old.*"}), *versions()[1:]],
            "in force on 2026-05-01 takes 'calls.csv'",
        ),
    ],
)
def test_a_file_no_version_reads_is_held_and_says_why(
    name: str, given: list[Feed], message: str
) -> None:
    with pytest.raises(FileRefused, match=message):
        version_for_file(name, dt.date(2026, 5, 1), given)


def test_versions_are_files_of_their_own_and_come_back_from_the_books() -> None:
    both = [feed(), feed(valid_from=JUNE, name="From June")]

    assert [feed_file(one) for one in both] == [
        "feeds/calls.yaml",
        "feeds/calls@2026-06-01.yaml",
    ]
    assert list(feeds_from_entries(catalog_entries(Catalog(), both))) == both


def test_one_rule_chooses_between_the_versions_of_a_feed() -> None:
    (problem,) = check_feed_versions([feed(), feed(CALLS, valid_from=JUNE, **BY_NAME)])

    assert str(problem) == (
        "feeds/calls@2026-06-01.yaml field version_by: is 'name', but feeds/calls.yaml has"
        " 'landing'; one rule must choose the version"
    )


def test_a_version_by_name_needs_a_date_in_the_name() -> None:
    with pytest.raises(ValueError, match="needs a group `date`"):
        feed(version_by="name")
