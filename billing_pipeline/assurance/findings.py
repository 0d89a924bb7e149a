"""Findings: what a control has to say, in words that tell people what to do."""

from collections.abc import Sequence
from typing import Literal

import polars as pl

from billing_pipeline.assurance.schema import ACCOUNT_FINDINGS, FINDINGS

Severity = Literal["warn", "block"]


def findings(
    wrong: pl.DataFrame, *, control: str, severity: Severity, subject: pl.Expr, message: pl.Expr
) -> pl.DataFrame:
    """One finding per row of `wrong`, by subject and message: FINDINGS."""
    rows = wrong.select(
        control=pl.lit(control),
        severity=pl.lit(severity),
        subject=subject.cast(pl.String),
        message=message.cast(pl.String),
    )
    return FINDINGS.conform(rows.sort("subject", "message"))


def account_findings(
    wrong: pl.DataFrame, *, control: str, severity: Severity, subject: pl.Expr, message: pl.Expr
) -> pl.DataFrame:
    """As `findings`, each about the billing account in the column `account_key` of `wrong`."""
    rows = wrong.select(
        control=pl.lit(control),
        severity=pl.lit(severity),
        subject=subject.cast(pl.String),
        message=message.cast(pl.String),
        account_key=pl.col("account_key"),
    )
    return ACCOUNT_FINDINGS.conform(rows.sort("subject", "message"))


def all_findings(found: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Findings of several controls as one ACCOUNT_FINDINGS frame, blocking ones first.

    Those that name no account concern the tenant.
    """
    rows = pl.concat([ACCOUNT_FINDINGS.empty(), *found], how="diagonal")
    return ACCOUNT_FINDINGS.conform(rows.sort("severity", "control", "subject", "message"))


def is_blocked(found: pl.DataFrame) -> bool:
    """Whether any finding forbids going on."""
    return found.filter(pl.col("severity") == "block").height > 0
