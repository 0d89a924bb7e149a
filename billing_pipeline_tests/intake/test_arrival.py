import datetime as dt

import pytest

from billing_pipeline.catalog.feed_arrival import Arrival
from billing_pipeline.intake.arrival import arrived, not_arrived
from billing_pipeline.intake.landing import Upload

NOW = dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)


def upload(name: str, age_seconds: int = 60) -> Upload:
    return Upload(
        path=f"acme/calls/{name}",
        url=f"file:///landing/acme/calls/{name}",
        name=name,
        size=1,
        etag="1",
        modified_at=NOW - dt.timedelta(seconds=age_seconds),
    )


def taken(arrival: Arrival, *uploads: Upload) -> list[str]:
    return [found.name for found in arrived(uploads, arrival, NOW)]


@pytest.mark.parametrize("marker", ["a.csv.done", "a.done"])
def test_a_file_with_a_marker_is_taken_and_the_marker_is_not(marker: str) -> None:
    arrival = Arrival(marker=".done")

    assert taken(arrival, upload("a.csv"), upload(marker), upload("b.csv")) == ["a.csv"]
    (waiting,) = not_arrived([upload("a.csv"), upload(marker), upload("b.csv")], arrival, NOW)
    assert (waiting.upload.name, waiting.what_for) == ("b.csv", "its marker b.csv.done")


def test_a_marker_may_be_of_any_word() -> None:
    assert taken(Arrival(marker=".FIN"), upload("a.csv"), upload("a.csv.FIN")) == ["a.csv"]


def test_a_name_still_being_written_waits_for_its_rename() -> None:
    arrival = Arrival(unfinished=[".writing"])

    assert taken(arrival, upload("a.csv.WRITING"), upload("b.csv")) == ["b.csv"]


def test_a_feed_may_ask_for_a_longer_rest() -> None:
    arrival = Arrival(stable_seconds=120)

    assert taken(arrival, upload("young", 119), upload("old", 120)) == ["old"]


def test_without_rules_every_final_name_is_taken() -> None:
    assert taken(Arrival(), upload("a.csv"), upload("a.csv.done")) == ["a.csv", "a.csv.done"]
