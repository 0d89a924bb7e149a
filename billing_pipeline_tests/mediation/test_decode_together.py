"""Small files decoded together come to exactly what each comes to by itself."""

import datetime as dt
import io
from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.mediation.decode import decode_blocks
from billing_pipeline.mediation.decode_together import (
    FramedFile,
    decode_together,
    framed_alone,
    is_decoded_together,
)
from billing_pipeline.mediation.refusal import FileRefused
from billing_pipeline.vocabulary.outcome import Outcome
from billing_pipeline_tests.mediation.framings import FRAMINGS, Framing
from billing_pipeline_tests.mediation.framings import records as good_records
from billing_pipeline_tests.mediation.test_framings import MUTATIONS, mutated

LANDED = dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC)


def alone(feed: Feed, content: bytes, key: str, landed_at: dt.datetime) -> Outcome | None:
    try:
        blocks = list(decode_blocks(feed, io.BytesIO(content), key, landed_at=landed_at))
    except FileRefused:
        return None
    return Outcome(*(pl.concat(parts) for parts in zip(*blocks, strict=True))) if blocks else None


def framed(feed: Feed, content: bytes, key: str, landed_at: dt.datetime) -> FramedFile | None:
    try:
        return framed_alone(feed, io.BytesIO(content), key, landed_at)
    except FileRefused:
        return None


def rows(part: pl.DataFrame) -> list[tuple[object, ...]]:
    return part.sort("file_key", "record_number").rows()


@pytest.mark.parametrize("framing", FRAMINGS, ids=lambda framing: framing.name)
@settings(deadline=None, max_examples=15)
@given(
    harms=st.lists(st.sampled_from([*MUTATIONS, "none"]), min_size=2, max_size=5),
    seed=st.integers(0, 9999),
)
def test_files_decoded_together_come_to_what_each_comes_to_alone(
    framing: Framing, harms: list[str], seed: int
) -> None:
    chance = Random(seed)  # noqa: S311 - a repeatable test
    document = framing.feed.model_dump()
    document["checks"] |= {"max_age_days": 1, "late_after_days": 0, "future_minutes": 0}
    feed = Feed.model_validate(document)
    whole = framing.write(good_records(6))
    files = [
        (
            whole if harm == "none" else mutated(whole, harm, chance),
            f"file {number}",
            LANDED + dt.timedelta(hours=chance.randrange(-24, 48)),
        )
        for number, harm in enumerate(harms)
    ]

    small = {file[1]: made for file in files if (made := framed(feed, *file)) is not None}
    expected = [
        own for file in files if file[1] in small and (own := alone(feed, *file)) is not None
    ]

    if not expected:
        return  # each of them is held, or read by itself
    together = decode_together(feed, list(small.values()))
    for name in Outcome._fields:
        parts = pl.concat([getattr(own, name) for own in expected])
        assert rows(getattr(together.outcome, name)) == rows(parts), name


def test_a_file_of_another_kind_is_refused_by_itself() -> None:
    feed = FRAMINGS[0].feed
    good = FRAMINGS[0].write(good_records(3))
    header = good.split(b"\n", 1)[0]
    bad = header + b"\n" + b"r,u,never,much\n" * 30
    framed_files = [framed(feed, file, key, LANDED) for file, key in ((good, "g"), (bad, "b"))]

    together = decode_together(feed, [file for file in framed_files if file is not None])

    assert together.outcome.accepted["file_key"].unique().to_list() == ["g"]
    assert list(together.refused) == ["b"]


def test_a_file_with_a_trailer_is_decoded_alone() -> None:
    document = FRAMINGS[0].feed.model_dump()
    document["checks"]["trailer"] = {"when": "id == 'END'", "records": "amount"}

    assert not is_decoded_together(Feed.model_validate(document))
