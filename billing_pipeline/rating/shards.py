"""A usage day too large for one worker, split by billing account, the same way everywhere."""

import zlib

import polars as pl

EVENTS_PER_SHARD = 2_000_000
"""A tenant's day of up to so many events is one shard."""


def shards_of(events: int) -> int:
    """In how many shards a day of so many events is rated: it follows from the events alone."""
    return max(1, -(-events // EVENTS_PER_SHARD))


def by_shard(usage_events: pl.DataFrame, shards: int) -> list[pl.DataFrame]:
    """USAGE_EVENTS of each shard, in the order given; all of an account are in one shard.

    The shard is the CRC-32 of the account's key, the same in every process and version.
    """
    if shards == 1:
        return [usage_events]
    accounts = usage_events["account_key"].unique()
    numbers = [zlib.crc32(key.encode()) % shards for key in accounts]
    shard_of = pl.DataFrame({"account_key": accounts, "_shard": numbers})
    numbered = usage_events.join(
        shard_of, on="account_key", how="left", validate="m:1", maintain_order="left"
    )
    return [numbered.filter(pl.col("_shard") == number).drop("_shard") for number in range(shards)]
