import zlib

import polars as pl
import pytest

from billing_pipeline.rating.shards import EVENTS_PER_SHARD, by_shard, shards_of

EVENTS = pl.DataFrame(
    {"account_key": [f"A-{number % 50}" for number in range(400)], "record_number": range(400)}
)


@pytest.mark.parametrize(
    ("events", "shards"),
    [(0, 1), (EVENTS_PER_SHARD, 1), (EVENTS_PER_SHARD + 1, 2), (10 * EVENTS_PER_SHARD, 10)],
)
def test_the_number_of_shards_follows_from_the_events_alone(events: int, shards: int) -> None:
    assert shards_of(events) == shards


def test_every_event_is_in_one_shard_with_all_of_its_account() -> None:
    shards = by_shard(EVENTS, 4)

    assert pl.concat(shards).sort("record_number").equals(EVENTS)
    accounts = [set(shard["account_key"]) for shard in shards]
    assert sum(map(len, accounts)) == len(set.union(*accounts)) == 50
    assert all(shard["record_number"].is_sorted() and shard.height for shard in shards)


def test_the_shard_of_an_account_is_the_same_in_every_process() -> None:
    second = by_shard(EVENTS, 4)[2]

    assert {zlib.crc32(key.encode()) % 4 for key in second["account_key"]} == {2}
