"""What selectors ask of an event that no field says: its destination's beginning, its time."""

from collections.abc import Callable, Mapping

import polars as pl

from billing_pipeline.catalog.price_terms import Selector
from billing_pipeline.catalog.rate_cards import TimeBand
from billing_pipeline.rating.time_bands import ANY_TIME, time_bands

Judge = Callable[[pl.DataFrame], pl.Series]
"""Says of each event whether it fits; events have `destination` and `local_start`."""

FITS = "yes"
"""The value that a judged field must have."""


def judges(selector: Selector) -> Mapping[str, Judge]:
    """Judges of a selector by a name that equal ones share."""
    found: dict[str, Judge] = {}
    if selector.destinations:
        prefixes = sorted(set(selector.destinations))
        found[f"destinations {' '.join(prefixes)}"] = lambda events: _begins_with(events, prefixes)
    if selector.times:
        windows = selector.model_dump_json(include={"times", "holidays"})
        bands = time_bands(
            [TimeBand(key="in", **window.model_dump()) for window in selector.times],
            selector.holidays,
        )
        found[f"times {windows}"] = lambda events: bands.at(events["local_start"]) != ANY_TIME
    return found


def _begins_with(events: pl.DataFrame, prefixes: list[str]) -> pl.Series:
    begins = pl.any_horizontal(pl.col("destination").str.starts_with(one) for one in prefixes)
    return events.select(begins=begins.fill_null(value=False)).to_series()
