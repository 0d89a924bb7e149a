"""Conservation: what went into a stage came out of it, record by record and unit by unit."""

import datetime as dt
from decimal import Decimal

import polars as pl

from billing_pipeline.assurance.findings import findings
from billing_pipeline.assurance.schema import CONSERVATION
from billing_pipeline.vocabulary.money import plain_text
from billing_pipeline.vocabulary.outcome import Outcome


def conservation_row(
    stage: str,
    partition_day: dt.date,
    tenant_key: str,
    feed_key: str,
    given_records: int,
    given_quantity: Decimal,
    outcome: Outcome,
) -> pl.DataFrame:
    """Count a stage's outcome beside what it was given: one CONSERVATION row.

    Units: `given_quantity` in the unit of the outcome's `quantity` columns; a record whose
    quantity could not be read counts as a record only.
    """
    row = pl.DataFrame(
        {
            "stage": [stage],
            "partition_day": [partition_day],
            "tenant_key": [tenant_key],
            "feed_key": [feed_key],
            "records_in": [given_records],
            "accepted": [outcome.accepted.height],
            "duplicates": [outcome.duplicates.height],
            "suspended": [outcome.suspended.height],
            "filtered": [outcome.filtered.height],
            "quantity_in": [given_quantity],
            "quantity_out": [sum((_quantity(part) for part in outcome), Decimal(0))],
        },
        schema=CONSERVATION.polars_schema,
    )
    return CONSERVATION.conform(row)


def conservation_gaps(conservation: pl.DataFrame) -> pl.DataFrame:
    """Stages and days where records or quantity were lost or doubled: FINDINGS, blocking."""
    records_out = pl.sum_horizontal("accepted", "duplicates", "suspended", "filtered")
    judged = conservation.with_columns(records_out=records_out)
    wrong = judged.filter(
        (pl.col("records_in") != pl.col("records_out"))
        | (pl.col("quantity_in") != pl.col("quantity_out"))
    )
    return findings(
        wrong,
        control="conservation",
        severity="block",
        subject=_subject(),
        message=pl.format(
            "{} records and quantity {} went in, {} and {} came out. Nothing of this day may be "
            "billed: run the stage again for it, and if the gap stays, look at its newest files.",
            "records_in",
            plain_text(pl.col("quantity_in")),
            "records_out",
            plain_text(pl.col("quantity_out")),
        ),
    )


def missing_days(expected: pl.DataFrame, conservation: pl.DataFrame) -> pl.DataFrame:
    """Days a stage should have worked on and did not: FINDINGS, blocking.

    Args:
        expected: columns stage, partition_day, tenant_key, feed_key: one row per day due.
        conservation: CONSERVATION rows there are.
    """
    keys = ["stage", "partition_day", "tenant_key", "feed_key"]
    wrong = expected.select(keys).unique().join(conservation, on=keys, how="anti")
    return findings(
        wrong,
        control="missing_day",
        severity="block",
        subject=_subject(),
        message=pl.format(
            "the stage {} has no result for {}. Run that day before anything of its period is "
            "billed; if no file came, ask whoever sends {}.",
            "stage",
            "partition_day",
            pl.when(pl.col("feed_key") == "").then(pl.lit("usage")).otherwise("feed_key"),
        ),
    )


def _quantity(part: pl.DataFrame) -> Decimal:
    if part.is_empty():
        return Decimal(0)
    return Decimal(part.get_column("quantity").sum())


def _subject() -> pl.Expr:
    parts = pl.concat_str("stage", pl.col("partition_day").cast(pl.String), separator=" ")
    owner = pl.concat_str("tenant_key", "feed_key", separator=" ").str.strip_chars()
    return pl.concat_str(parts, owner, separator=" ").str.strip_chars()
