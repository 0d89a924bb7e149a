"""A day too large for memory, cut into pieces that can be mediated each by itself.

Records that may concern each other lie in one piece: those of one identity (duplicates,
conflicts, reversals) and those of one session. Where an identity lies in several sessions, or
in a session and outside it, all that hangs together by such identities is one piece.
"""

import polars as pl

_IDENTITY, _SESSION, _KEY, _LABEL = "identity_hash", "session_hash", "key", "label"

LINKS = pl.Schema({_KEY: pl.UInt64, _LABEL: pl.UInt64})
"""Keys of records that hang together with others: their common label instead."""

NO_LINKS = pl.DataFrame(schema=LINKS)


def hashed_keys() -> list[pl.Expr]:
    """The identity and the session (or null) of RAW_USAGE, as 8 bytes each.

    Two different keys of one hash share a piece, which costs memory and changes nothing.
    """
    feed, session = pl.col("feed_key"), pl.col("session_key")
    in_session = pl.when(session.is_not_null()).then(feed.hash(2) ^ session.hash(3))
    return [
        (feed.hash(0) ^ pl.col("identity").hash(1)).alias(_IDENTITY),
        in_session.alias(_SESSION),
    ]


def links_between(keys: pl.DataFrame) -> pl.DataFrame:
    """LINKS of a day, from `hashed_keys` of all its records; most days have none."""
    edges = keys.drop_nulls(_SESSION).unique()
    alone = keys.filter(pl.col(_SESSION).is_null()).select(_IDENTITY).unique()
    is_shared = pl.col(_IDENTITY).is_duplicated() | pl.col(_IDENTITY).is_in(
        alone[_IDENTITY].implode()
    )
    shared = edges.filter(is_shared)
    if shared.is_empty():
        return NO_LINKS
    labelled = _together(shared)
    outside = labelled.join(alone, on=_IDENTITY, how="semi")
    both = [
        part.select(pl.col(name).alias(_KEY), _LABEL)
        for part, name in ((labelled, _SESSION), (outside, _IDENTITY))
    ]
    return pl.concat(both).unique(_KEY, keep="first", maintain_order=True)


def _together(edges: pl.DataFrame) -> pl.DataFrame:
    """Edges with the least session of everything they hang together with."""
    labelled = edges.with_columns(pl.col(_SESSION).alias(_LABEL))
    while True:
        least = pl.col(_LABEL).min().over(_IDENTITY).alias(_LABEL)
        spread = labelled.with_columns(least).with_columns(
            pl.col(_LABEL).min().over(_SESSION).alias(_LABEL)
        )
        if spread[_LABEL].equals(labelled[_LABEL]):
            return spread
        labelled = spread


def in_pieces(records: pl.DataFrame, links: pl.DataFrame, pieces: int) -> dict[int, pl.DataFrame]:
    """The records by the number of their piece, in the order given."""
    own = pl.coalesce(_SESSION, _IDENTITY)
    keys = records.select(hashed_keys()).select(own.alias(_KEY))
    if links.height:
        known = keys.join(links, on=_KEY, how="left", validate="m:1", maintain_order="left")
        keys = known.select(pl.coalesce(_LABEL, _KEY).alias(_KEY))
    numbered = records.with_columns((keys[_KEY] % pieces).alias(_KEY))
    parts = numbered.partition_by(_KEY, as_dict=True, include_key=False, maintain_order=True)
    return {int(number): part for (number,), part in parts.items()}
