"""What a feed would make of files: every record counted, nothing touched.

Files are taken together, as if they were loaded one after the other: a record that comes in two
of them is a duplicate, parts of a session are put together. Every identifier counts as owned.
What is more than fits in memory is laid aside on local disk (`TMPDIR`).
"""

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.intake.archive import open_usage
from billing_pipeline.intake.model_problems import parse_document
from billing_pipeline.intake.shipped_feeds import shipped_feeds
from billing_pipeline.intake.yaml_files import read_yaml
from billing_pipeline.lake.heaps import heaps_of
from billing_pipeline.mediation.counters import counted
from billing_pipeline.mediation.decode import decode_blocks
from billing_pipeline.mediation.match import matching_feed
from billing_pipeline.mediation.mediate import mediate
from billing_pipeline.mediation.reach import far_reaching
from billing_pipeline.mediation.refusal import FileRefused
from billing_pipeline.mediation.schema import GUIDE, RAW_USAGE
from billing_pipeline.orchestration.feed_check_records import RecordsAside
from billing_pipeline.orchestration.feed_report import FeedReport
from billing_pipeline.vocabulary.outcome import Outcome
from billing_pipeline.vocabulary.problems import ConfigurationRefused, Problem


def check_feed(
    feed: Feed, paths: Sequence[Path], landed_at: dt.datetime | None = None
) -> list[FeedReport]:
    """One report per file. `landed_at` is the measure of late and future records, if given."""
    reach = far_reaching([feed])
    released = [key for key, far in reach.items() if far.releases_incomplete]
    with heaps_of(RAW_USAGE) as blocks, heaps_of(RAW_USAGE) as pieces:
        aside = RecordsAside(feed, blocks, pieces)
        reports = list(_reports(feed, paths, landed_at, aside))
        for decoded in aside.taken():
            # All files are taken as one day: readings of counters become what was counted between.
            used = counted(decoded, decoded.clear(), dt.date.max, reach)
            outcome = _mediated(used, released)
            for report in reports:
                report.restate(decoded, used)
                if report.state == "accepted":
                    report.add_mediated(outcome)
    return reports


def _reports(
    feed: Feed, paths: Sequence[Path], landed_at: dt.datetime | None, aside: RecordsAside
) -> Iterator[FeedReport]:
    seen: dict[str, str] = {}
    for path in paths:
        key = _content_hash(path)
        if key in seen:
            message = f"the same content as {seen[key]}; it would not be loaded again"
            yield FeedReport(path.name, key, "duplicate", message)
            continue
        seen[key] = path.name
        yield _decoded(feed, path, key, landed_at, aside)


def read_feed(definition: str) -> Feed:
    """The feed in a file, or the shipped feed with that key.

    Raises: ConfigurationRefused with every mistake, or if there is neither.
    """
    path = Path(definition)
    if not path.exists():
        if definition in shipped_feeds():
            return shipped_feeds()[definition]
        message = "there is no such file, and no shipped feed with this key: billing feed list"
        raise ConfigurationRefused([Problem(definition, None, None, message)])
    feed, problems = parse_document(read_yaml(path.name, path.read_text(encoding="utf-8")), Feed)
    if feed is None:
        raise ConfigurationRefused(problems)
    return feed


def _decoded(
    feed: Feed, path: Path, key: str, landed_at: dt.datetime | None, aside: RecordsAside
) -> FeedReport:
    if matching_feed(path.name, [feed]) is None:
        message = f"the name does not fit the pattern {feed.match.file_name}"
        return FeedReport(path.name, key, "refused", message)
    report = FeedReport(path.name, key)
    laid: list[int] = []
    try:
        with open_usage(str(path), path.name, feed.match.max_bytes, feed.match.max_ratio) as stream:
            for block in decode_blocks(feed, stream, key, landed_at=landed_at):
                report.add_decoded(block)
                laid.append(aside.put(block.accepted))
    except FileRefused as refusal:
        aside.forget(laid)
        return FeedReport(path.name, key, "quarantined", refusal.message)
    if report.records == 0:
        report.state = "empty"
    return report


def _mediated(raw: pl.DataFrame, released: Sequence[str]) -> Outcome:
    return mediate(raw, _everybody(raw), released=released)


def _everybody(raw: pl.DataFrame) -> pl.DataFrame:
    """A GUIDE in which every identifier of the files has an owner all the time."""
    owners = raw.group_by("service_identifier").agg(since=pl.col("started_at").min())
    never = pl.lit(None, RAW_USAGE.polars_schema["started_at"])
    return GUIDE.conform(
        owners.select(
            identifier="service_identifier",
            tenant_key=pl.lit("tenant"),
            account_key=pl.lit("account"),
            subscription_key=pl.lit("subscription"),
            valid_from="since",
            valid_until=never,
            service_from="since",
            service_until=never,
            match=pl.lit("exact"),
            status=pl.lit("assigned"),
        )
    )


def _content_hash(path: Path) -> str:
    with path.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()[:32]
