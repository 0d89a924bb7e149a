"""What a check of a feed says of readings of counters: what was counted, and that it adds up."""

from decimal import Decimal
from pathlib import Path

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
