"""Controls over what arrives: files expected, gaps in their numbers, identifiers nobody owns."""

import datetime as dt
from collections.abc import Iterator

import polars as pl

from billing_pipeline.assurance.findings import all_findings, findings
from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.mediation.match import name_facts
from billing_pipeline.mediation.sequences import NumberedFile, sequence_audit

_ASK = " Ask whoever sends them; the finding closes when they have come."
_COMPARE = " The source began anew or wrote over a file: compare both."
_NOT_DELIVERED = ("quarantined", "discarded")


def files_expected(
    landed: pl.DataFrame, feeds: tuple[Feed, ...], first_day: dt.date, day: dt.date
) -> pl.DataFrame:
    """Landing days before `day` with fewer files than their feed should bring: FINDINGS.

    Days before a feed's first file are passed over; a refused file was not delivered.

    Args:
        landed: LANDED_FILES.
        feeds: those whose `checks.files_per_day` is set are looked at.
        first_day: first landing day looked at.
        day: today, of which files may still come.
    """
    wanted = pl.DataFrame(
        {
            "feed_key": [feed.key for feed in feeds],
            "expected": [feed.checks.files_per_day for feed in feeds],
        },
        schema={"feed_key": pl.String, "expected": pl.Int64},
    ).drop_nulls("expected")
    began = landed.group_by("feed_key").agg(began=pl.col("landing_day").min())
    days = pl.DataFrame({"landing_day": pl.date_range(first_day, day, closed="left", eager=True)})
    came = (
        landed.filter(~pl.col("state").is_in(_NOT_DELIVERED))
        .group_by("feed_key", "landing_day")
        .agg(files=pl.len())
    )
    judged = (
        wanted.join(began, on="feed_key", how="inner", validate="1:1")
        .join(days, how="cross")
        .filter(pl.col("landing_day") >= pl.col("began"))
        .join(came, on=["feed_key", "landing_day"], how="left", validate="1:1")
        .with_columns(pl.col("files").fill_null(0))
    )
    return findings(
        judged.filter(pl.col("files") < pl.col("expected")),
        control="files_expected",
        severity="warn",
        subject=pl.format("{} {}", "feed_key", "landing_day"),
        message=pl.format(
            "{} of {} files came on {}. Ask whoever sends them; what comes late is billed with "
            "the next invoice.",
            "files",
            "expected",
            "landing_day",
        ),
    )


def sequence_gaps(landed: pl.DataFrame, feeds: tuple[Feed, ...]) -> pl.DataFrame:
    """Numbers of files that never came, or came twice with other content: FINDINGS.

    Args:
        landed: LANDED_FILES.
        feeds: those whose file names or records carry a number are looked at.
    """
    return all_findings([_gaps_of(landed, feed) for feed in feeds])


def _gaps_of(landed: pl.DataFrame, feed: Feed) -> pl.DataFrame:
    audit = sequence_audit(_numbered(landed, feed), feed.checks.sequence)
    gaps = [
        (
            f"{feed.key} {gap.source}".strip(),
            f"files {gap.first_missing} to {gap.last_missing} ({gap.files}) never came.{_ASK}",
        )
        for gap in audit.gaps
    ]
    repeats = [
        (
            f"{feed.key} {source} {number}".replace("  ", " "),
            f"two files of other content carry number {number}.{_COMPARE}",
        )
        for source, number in audit.repeated
    ]
    rows = pl.DataFrame(
        [*gaps, *repeats], schema={"subject": pl.String, "message": pl.String}, orient="row"
    )
    # One source can have several gaps: they are one finding, so that it has one life.
    told = rows.group_by("subject", maintain_order=True).agg(pl.col("message").str.join(" "))
    return findings(
        told,
        control="sequence_gap",
        severity="warn",
        subject=pl.col("subject"),
        message=pl.col("message"),
    )


def _numbered(landed: pl.DataFrame, feed: Feed) -> Iterator[NumberedFile]:
    own = landed.filter(pl.col("feed_key") == feed.key)
    is_own = feed.checks.sequence.number is not None
    for name, file_key, given in own.select("name", "file_key", "sequence_number").rows():
        fact = name_facts(name, feed)
        number = given if is_own else fact.sequence
        if number is not None:
            # Where names carry a period, numbers begin anew with each.
            source = " ".join(part for part in (fact.source, fact.period) if part)
            yield NumberedFile(source, number, file_key or name)


def identifiers_without_owner(suspense: pl.DataFrame) -> pl.DataFrame:
    """Identifiers that are used and belong to nobody: FINDINGS, one per feed.

    No number stands in it: findings are kept and told longer than numbers may be.

    Args:
        suspense: SUSPENSE.
    """
    unknown = suspense.filter(pl.col("reason") == "unknown_identifier")
    wrong = unknown.group_by("feed_key").agg(
        records=pl.len(),
        identifiers=pl.col("service_identifier").n_unique(),
    )
    return findings(
        wrong,
        control="identifier_without_owner",
        severity="warn",
        subject=pl.col("feed_key"),
        message=pl.format(
            "{} records of {} identifiers belong to nobody; `billing suspense list --by "
            "identifier` names them. Give them an owner in service_identifiers.csv, or write the "
            "records off.",
            "records",
            "identifiers",
        ),
    )
