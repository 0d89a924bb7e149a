"""Which raw records of a usage day stand, and which people or later deliveries have set aside."""

from typing import NamedTuple

import polars as pl

from billing_pipeline.books import files, suspense
from billing_pipeline.books.scope import installation_scope
from billing_pipeline.mediation.deduplicate import SUPERSEDED
from billing_pipeline.mediation.mediate import STAGE
from billing_pipeline.mediation.schema import SET_ASIDE
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.vocabulary.outcome import FilterReason, Outcome


class Standing(NamedTuple):
    """The records to mediate, and those that are only counted: SET_ASIDE."""

    records: pl.DataFrame
    superseded: pl.DataFrame
    written_off: pl.DataFrame

    def with_set_aside(self, outcome: Outcome) -> Outcome:
        """The outcome of all records of the day; superseded ones count among the duplicates."""
        return outcome._replace(
            duplicates=pl.concat([outcome.duplicates, self.superseded]),
            filtered=pl.concat([outcome.filtered, self.written_off]),
        )


def standing_records(installation: Installation, owner_key: str, raw: pl.DataFrame) -> Standing:
    """Split an owner's raw usage of a day (RAW_USAGE)."""
    with installation_scope(installation.engine) as connection:
        replaced = files.replaced_files(connection, owner_key)
        given_up = suspense.written_off_records(
            connection, owner_key, raw["file_key"].unique().to_list()
        )
    if replaced.is_empty() and given_up.is_empty():
        return Standing(raw, SET_ASIDE.empty(), SET_ASIDE.empty())
    superseded = raw.join(replaced, on=replaced.columns, how="semi")
    left = raw.join(replaced, on=replaced.columns, how="anti", maintain_order="left")
    return Standing(
        records=left.join(given_up, on=given_up.columns, how="anti", maintain_order="left"),
        superseded=_set_aside(superseded, SUPERSEDED),
        written_off=_set_aside(
            left.join(given_up, on=given_up.columns, how="semi"), FilterReason.WRITTEN_OFF
        ),
    )


def _set_aside(records: pl.DataFrame, reason: str) -> pl.DataFrame:
    shown = records.sort("feed_key", "file_key", "record_number").select(
        pl.lit(None, pl.String).alias("tenant_key"),
        "feed_key",
        "file_key",
        "record_number",
        pl.lit(STAGE).alias("stage"),
        pl.lit(str(reason)).alias("reason"),
        "started_at",
        "quantity",
    )
    return SET_ASIDE.conform(shown)
