"""A day cut into pieces is the same day: equal rows in each of the four frames."""

import datetime as dt
from decimal import Decimal

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_pipeline.mediation.mediate import mediate
from billing_pipeline.mediation.pieces import NO_LINKS, hashed_keys, in_pieces, links_between
from billing_pipeline.mediation.reach import Reach
from billing_pipeline.mediation.schema import RAW_USAGE
from billing_pipeline.mediation.usage_days import concerned_rows, records_of_day
from billing_pipeline.vocabulary.outcome import Outcome
from billing_pipeline_tests.mediation.test_mediate import guide, owner, usage
from billing_pipeline_tests.mediation.test_usage_days import MONDAY, at

OWNERS = guide(owner("1", "a"), owner("2", "b"))
REACH = {
    "calls": Reach(session_days=1, reversal_days=2),
    "meters": Reach(session_days=1, wraps_at=Decimal(100)),
}

_records = st.fixed_dictionaries(
    {
        "feed_key": st.sampled_from(["calls", "meters"]),
        "file_key": st.sampled_from(["a", "b"]),
        "identity": st.sampled_from(["x", "y", "z", "u", "v", "w"]),
        "service_identifier": st.sampled_from(["1", "2", "nobody"]),
        "started_at": st.builds(at, st.integers(-1, 1), st.sampled_from(["09:00", "21:00"])),
        "quantity": st.integers(0, 3).map(Decimal),
        "record_kind": st.sampled_from([None, None, "reversal"]),
        "session_key": st.sampled_from([None, "s", "t", "r"]),
        "session_part": st.sampled_from(["first", "middle", "last"]),
    }
)


def day_of(records: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What began on Monday, and what of the days around concerns it."""
    is_own = records["started_at"].dt.date() == MONDAY
    return records.filter(is_own), records.filter(~is_own).filter(concerned_rows(REACH))


def mediated(own: pl.DataFrame, around: pl.DataFrame) -> Outcome:
    return mediate(records_of_day(own, around, MONDAY, REACH), OWNERS)


def in_any_order(outcome: Outcome) -> list[list[tuple[object, ...]]]:
    return [sorted(part.rows(), key=repr) for part in outcome]


@settings(max_examples=40)
@given(st.lists(_records, max_size=14), st.integers(2, 5))
def test_pieces_of_a_day_come_to_the_same_as_the_whole(
    rows: list[dict[str, object]], pieces: int
) -> None:
    records = usage(*rows).with_columns(
        session_mode=pl.when(pl.col("session_key").is_not_null()).then(
            pl.when(pl.col("feed_key") == "meters")
            .then(pl.lit("counter"))
            .otherwise(pl.lit("delta"))
        )
    )
    own, around = day_of(records)
    links = links_between(pl.concat([own, around]).select(hashed_keys()))
    own_parts, near_parts = (in_pieces(part, links, pieces) for part in (own, around))
    nothing = RAW_USAGE.empty()

    cut = [
        mediated(own_parts.get(piece, nothing), near_parts.get(piece, nothing))
        for piece in range(pieces)
    ]

    joined = Outcome(*(pl.concat(parts) for parts in zip(*cut, strict=True)))
    assert in_any_order(joined) == in_any_order(mediated(own, around))


def test_sessions_that_share_an_identity_are_one_piece_all_along_the_chain() -> None:
    chain = [("1", "a"), ("1", "b"), ("2", "b"), ("2", "c"), ("3", "c"), ("3", None)]
    records = usage(
        *({"identity": identity, "session_key": session} for identity, session in chain),
        *({"identity": f"i{at}", "session_key": f"s{at}"} for at in range(50)),
    )

    links = links_between(records.select(hashed_keys()))
    parts = in_pieces(records, links, 50)

    with_chain = [part for part in parts.values() if part["identity"].is_in(["1", "2", "3"]).any()]
    assert len(with_chain) == 1
    assert with_chain[0]["identity"].is_in(["1", "2", "3"]).sum() == len(chain)
    assert len(parts) > 20


def test_records_without_sessions_need_no_links() -> None:
    records = usage(*({"identity": "same"} for _ in range(3)), {"identity": "other"})

    assert links_between(records.select(hashed_keys())).equals(NO_LINKS)
    assert sorted(part.height for part in in_pieces(records, NO_LINKS, 1_000).values()) == [1, 3]


def test_a_day_of_many_records_is_cut_about_evenly() -> None:
    started = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    records = usage(*({"started_at": started} for _ in range(2_000)))

    sizes = [part.height for part in in_pieces(records, NO_LINKS, 4).values()]

    assert sum(sizes) == 2_000
    assert all(400 < size < 600 for size in sizes)
