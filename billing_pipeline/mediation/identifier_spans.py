"""Owners by prefix and range: flattened over identifiers and time once, then two look-ups."""

from dataclasses import dataclass

import polars as pl

from billing_pipeline.vocabulary.identifier_keys import bounds_of, prefix_key, range_key
from billing_pipeline.vocabulary.key_intervals import KeyIntervals, key_intervals


@dataclass(frozen=True)
class IdentifierSpans:
    """Pieces of the line of identifiers, and per piece and instant the row of the guide."""

    intervals: KeyIntervals
    spans: pl.DataFrame

    def rows_of(self, events: pl.DataFrame) -> pl.DataFrame:
        """`row` of the most specific range or prefix in force, `is_covered` by any at any time.

        Shape: row by row. A range comes before every prefix: those it lies in are wider.
        """
        keyed = events.select(
            "started_at",
            range_key=range_key(pl.col("service_identifier")),
            prefix_key=prefix_key(pl.col("service_identifier")),
        )
        by_range = self._row_at(keyed["range_key"], keyed["started_at"])
        by_prefix = self._row_at(keyed["prefix_key"], keyed["started_at"])
        return pl.DataFrame(
            {
                "row": by_range["row"].zip_with(by_range["row"].is_not_null(), by_prefix["row"]),
                "is_covered": by_range["is_covered"] | by_prefix["is_covered"],
            }
        )

    def _row_at(self, keys: pl.Series, instants: pl.Series) -> pl.DataFrame:
        pieces = self.intervals.piece_of(keys)
        covered = pieces.is_in(self.intervals.covers["piece"].unique().implode())
        events = pl.DataFrame({"piece": pieces, "started_at": instants}).with_row_index("at")
        found = events.sort("started_at").join_asof(
            self.spans,
            left_on="started_at",
            right_on="from_instant",
            by="piece",
            strategy="backward",
            check_sortedness=False,  # both sides are sorted by the instant
        )
        return found.sort("at").select("row", is_covered=covered.fill_null(value=False))


def identifier_spans(guide: pl.DataFrame) -> IdentifierSpans:
    """Flatten the prefixes and ranges of a GUIDE with `row`; what cannot be read takes nothing.

    Where several cover an identifier at an instant, the one that begins last is the innermost.
    """
    first, end = bounds_of(guide["identifier"], guide["match"])
    patterns = guide.select("row", "valid_from", "valid_until", first=first, end=end).filter(
        pl.col("first").is_not_null()
    )
    intervals = key_intervals(patterns["row"], patterns["first"], patterns["end"])
    covers = intervals.covers.join(patterns, on="row", how="left", validate="m:1")
    instants = pl.concat(
        covers.select("piece", from_instant=name) for name in ("valid_from", "valid_until")
    )
    in_force = covers.join(instants.drop_nulls().unique(), on="piece", how="right").filter(
        pl.col("valid_from") <= pl.col("from_instant"),
        (pl.col("from_instant") < pl.col("valid_until")).fill_null(value=True),
    )
    innermost = in_force.sort(
        "piece", "from_instant", "first", "end", descending=[False, False, True, False]
    ).unique(["piece", "from_instant"], keep="first", maintain_order=True)
    spans = (
        instants.drop_nulls()
        .unique()
        .join(
            innermost.select("piece", "from_instant", "row"),
            on=["piece", "from_instant"],
            how="left",
            validate="1:1",
        )
        .sort("from_instant", "piece")
    )
    return IdentifierSpans(intervals, spans)
