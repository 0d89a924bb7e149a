from pathlib import Path

import pytest
import yaml

from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.intake.feed_guess import NotGuessed, guessed_feed
from billing_pipeline.orchestration.feed_check import check_feed

WITH_HEADER = """\
id;src;dst;start;billsec;disposition
9001;02079460001;01134960002;12.01.2026 09:00:00;61;ANSWERED
9002;02079460001;01134960003;12.01.2026 09:05:00;0;BUSY
"""
WITHOUT = """\
c-1,447700900123,2026-01-12T09:00:00Z,12.5
c-2,447700900124,2026-01-12T10:00:00Z,3
"""
JSON_LINES = """\
{"event": "e1", "customer": "acme", "at": "2026-01-12T09:00:00Z", "units": 3}
{"event": "e2", "customer": "acme", "at": "2026-01-12T09:00:01Z", "units": 4}
"""


def guess(tmp_path: Path, name: str, text: str, country: str | None = None) -> tuple[Feed, Path]:
    sample = tmp_path / name
    sample.write_text(text, encoding="utf-8")
    written = guessed_feed(sample, key=None, zone="Europe/London", country=country)
    return Feed.model_validate(yaml.safe_load(written)), sample


@pytest.mark.parametrize(
    ("name", "text", "quantity"),
    [("cdr_0001.csv", WITH_HEADER, 61), ("usage.csv", WITHOUT, "15.5"), ("e.json", JSON_LINES, 7)],
)
def test_what_is_guessed_reads_its_sample(
    tmp_path: Path, name: str, text: str, quantity: object
) -> None:
    feed, sample = guess(tmp_path, name, text)

    (report,) = check_feed(feed, [sample])

    assert (report.state, report.accepted, report.suspended) == ("accepted", 2, {})
    assert f"{report.quantities['accepted'].normalize():f}" == str(quantity)


def test_columns_are_told_by_name_and_content(tmp_path: Path) -> None:
    feed, _ = guess(tmp_path, "cdr_0001.csv", WITH_HEADER, country="GB")

    kinds = {name: field.type for name, field in feed.fields.items()}
    assert kinds == {
        "id": "text",
        "src": "phone",
        "dst": "phone",
        "start": "time",
        "billsec": "duration",
        "disposition": "text",
    }
    assert feed.identity == ["id"]
    assert (feed.event.service_identifier, feed.event.quantity) == ("src", "billsec")
    assert feed.match.file_name == r"cdr_[0-9]+\.csv"
    assert feed.key == "cdr"


def test_a_broken_record_in_the_sample_does_not_hide_what_a_column_is(tmp_path: Path) -> None:
    calls = "".join(f"{n};0207;0113;2{n}.01.2026 09:00:00;6;ANSWERED\n" for n in range(6))
    feed, sample = guess(tmp_path, "cdr_0001.csv", WITH_HEADER + calls + "7;1;2;yesterday;6;BUSY\n")

    (report,) = check_feed(feed, [sample])

    assert report.suspended == {"invalid_time": 1}


def test_digits_that_name_something_keep_their_zeros(tmp_path: Path) -> None:
    feed, _ = guess(tmp_path, "cdr_0001.csv", WITH_HEADER)

    assert feed.fields["src"].type == "text"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<a><b/></a>", "XML or a JSON document"),
        ("", "no line"),
        ("alone\nin\nline\n", "no delimiter"),
        ("a,b\nx,y\n", "no column that reads as a time"),
        ('{"a": 1}\n{broken\n', "begins like JSON lines"),
    ],
)
def test_what_cannot_be_guessed_says_how_to_go_on(tmp_path: Path, text: str, words: str) -> None:
    sample = tmp_path / "sample.txt"
    sample.write_text(text)

    with pytest.raises(NotGuessed, match=words):
        guessed_feed(sample, key=None, zone="UTC", country=None)
