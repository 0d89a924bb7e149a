"""Proration of rows that follow different rules."""

import polars as pl

from billing_pipeline.vocabulary.proration import PRORATION_RULES, ProrationRule, prorated_parts

ANYTHING_CHARGED = (pl.col("proration_rule") != "none") | (
    pl.col("service_from") == pl.col("advance_on")
)
"""Whether a row's service is charged at all: what is not prorated is owed in full by who is
charged on the first day of the period, and otherwise not before the next period."""


def prorated_by_rule(served: pl.DataFrame) -> pl.DataFrame:
    """Add the part of the period's price that each row owes by its own `proration_rule`.

    Shape: row by row, the order of rows may change. `served` has the columns of a billed
    period; adds `owed`, `whole` (numerator and denominator) and `proration`, for people.
    """
    parts = [
        _prorated(rows, rule)
        for rule in PRORATION_RULES
        if (rows := served.filter(pl.col("proration_rule") == rule)).height
    ]
    return pl.concat(parts) if parts else _prorated(served, "none")


def _prorated(served: pl.DataFrame, rule: ProrationRule) -> pl.DataFrame:
    owed, whole = prorated_parts(rule, pl.col("step_months"))
    return served.with_columns(owed=owed, whole=whole).with_columns(
        proration=pl.format("{} {}/{}", pl.col("proration_rule"), pl.col("owed"), pl.col("whole"))
    )
