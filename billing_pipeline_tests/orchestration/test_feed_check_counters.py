"""What a check of a feed says of readings of counters: what was counted, and that it adds up."""

from decimal import Decimal
from pathlib import Path

import pytest

from billing_pipeline.orchestration import feed_check_records
from billing_pipeline.orchestration.feed_check import check_feed, read_feed


def test_a_check_shows_what_counters_counted_and_sets_the_first_reading_aside(
    tmp_path: Path,
) -> None:
    file = tmp_path / "octets.csv"
    file.write_text(
        "device,interface,direction,timestamp,octets,uptime_s\n"
        "r1,ge0,in,1772445300,1000,90000\n"
        "r1,ge0,in,1772445600,31000,90300\n"  # 30,000 octets in 300 s: 800 bit/s
    )

    (report,) = check_feed(read_feed("interface_octets"), [file])

    assert report.is_conserved
    assert report.accepted == 1
    assert report.quantities["accepted"] == Decimal(800)
    assert dict(report.filtered) == {"first_reading": 1}


def test_a_check_in_pieces_says_the_same_as_one_of_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = "device,interface,direction,timestamp,octets,uptime_s"
    rows = [
        f"r{device},ge0,in,{1772445300 + at},{1000 + 100 * at},{90000 + at}"
        for device in range(4)
        for at in range(0, 1800, 300)
    ]
    # The second file repeats two readings of the first; the third is refused after its records.
    texts = {"octets_1.csv": rows[:15], "octets_2.csv": rows[13:], "octets_3.csv": ["no"] * 40}
    for name, lines in texts.items():
        (tmp_path / name).write_text("\n".join([head, *lines, ""]))
    files = [tmp_path / name for name in texts]
    feed = read_feed("interface_octets")
    whole = [str(report) for report in check_feed(feed, files)]

    monkeypatch.setattr(feed_check_records, "MOST_WHOLE", 4)
    monkeypatch.setattr(feed_check_records, "RECORDS_PER_PIECE", 4)

    assert [str(report) for report in check_feed(feed, files)] == whole
    assert sum("2 duplicates" in said for said in whole) == 1
    assert "quarantined" in whole[2]
