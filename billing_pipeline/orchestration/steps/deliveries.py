"""Deliveries that replace others: which files of a feed stand, and which a later one replaced."""

import datetime as dt
import re
from collections.abc import Sequence

import polars as pl

from billing_pipeline.books import files, loading
from billing_pipeline.books.scope import Connection
from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.mediation.match import name_facts
from billing_pipeline.mediation.sequences import Delivery, superseded_files

_DIGITS = re.compile(r"[0-9]+")
_ARRIVAL = ["file_id", "name", "landed_at", "file_key"]


def is_replacing(feed: Feed) -> bool:
    """Whether a file of the feed can take the place of another."""
    return feed.snapshot == "supersede" or feed.arrival.same_name == "replace"


def settle_deliveries(connection: Connection, tenant_key: str, feed: Feed) -> int:
    """Have only the latest delivery of each period, or of each name, stand; return the changes.

    The usage days of files that are replaced, or stand again, become stale.
    """
    arrived = files.read_files(connection, "loaded", "superseded", "duplicate").filter(
        pl.col("tenant_key") == tenant_key, pl.col("feed_key") == feed.key
    )
    loaded = arrived.filter(pl.col("state") != "duplicate")
    again = _delivered_again(feed, loaded, arrived.filter(pl.col("state") == "duplicate"))
    arrivals = pl.concat([loaded.select(_ARRIVAL), again])
    outdated = replaced_files(feed, arrivals.drop("file_key").rows())
    stands = arrivals.filter(~pl.col("file_id").is_in(list(outdated)))["file_key"]
    is_standing = loaded["file_key"].is_in(stands.implode())
    return loading.replace_deliveries(
        connection,
        tenant_key,
        replaced=loaded.filter(~is_standing)["file_id"].sort().to_list(),
        standing=loaded.filter(is_standing)["file_id"].sort().to_list(),
    )


def _delivered_again(feed: Feed, loaded: pl.DataFrame, repeated: pl.DataFrame) -> pl.DataFrame:
    """Arrivals of contents that are loaded already, as a later delivery of the same period.

    A content that was replaced and is delivered once more is the latest again; under the name
    of another period it is only a repeated file.
    """
    periods = {
        (key, _delivery(feed, name, landed).period)
        for _, name, landed, key in loaded.select(_ARRIVAL).rows()
    }
    kept = [
        row
        for row in repeated.select(_ARRIVAL).rows()
        if (row[3], _delivery(feed, row[1], row[2]).period) in periods
    ]
    return pl.DataFrame(kept, schema=loaded.select(_ARRIVAL).schema, orient="row")


def replaced_files(feed: Feed, loaded: Sequence[tuple[int, str, dt.datetime]]) -> set[int]:
    """Ids of the files (id, name, landed at) that others of the feed replace.

    A delivery is all files of one period and version, so it may come in pieces; without a version
    in the names, what landed last is the latest. Of one name the file that landed last stands.
    """
    deliveries = {file_id: _delivery(feed, name, landed) for file_id, name, landed in loaded}
    outdated = superseded_files(set(deliveries.values()))
    standing = [row for row in loaded if deliveries[row[0]].file_key not in outdated]
    by_name = [
        Delivery(f"{file_id:020d}", name, landed.isoformat()) for file_id, name, landed in standing
    ]
    overwritten = {int(key) for key in superseded_files(by_name)}
    return overwritten | ({file_id for file_id, _, _ in loaded} - {row[0] for row in standing})


def _delivery(feed: Feed, name: str, landed_at: dt.datetime) -> Delivery:
    """Versions count by number: v10 comes after v9."""
    if feed.snapshot != "supersede":
        return Delivery(name, name, "")
    facts = name_facts(name, feed)
    period = facts.period or name
    is_versioned = "(?P<version>" in feed.match.file_name
    given = (facts.version or "") if is_versioned else landed_at.isoformat()
    version = _DIGITS.sub(lambda digits: digits[0].zfill(20), given)
    return Delivery(f"{period}\n{version}", period, version)
