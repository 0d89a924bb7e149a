"""Audits of the register: numbers that never came, and what the lake keeps of each file."""

import polars as pl

from billing_pipeline.assurance.findings import findings
from billing_pipeline.books import catalog, files
from billing_pipeline.books.scope import installation_scope
from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.mediation.match import name_facts
from billing_pipeline.mediation.sequences import NumberedFile, sequence_audit
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.owner_feeds import OwnerFeeds

GAPS = pl.Schema(
    {
        "tenant_key": pl.String,
        "feed_key": pl.String,
        "source": pl.String,
        "first_missing": pl.Int64,
        "last_missing": pl.Int64,
        "files": pl.Int64,
    }
)
_CAME = ("landed", "archived", "loaded", "superseded", "empty", "quarantined", "discarded")


def sequence_gaps(installation: Installation, tenant_key: str | None) -> pl.DataFrame:
    """Runs of sequence numbers that never came, per owner, feed and source: columns of GAPS.

    A quarantined or discarded file has come; a gap closes when the late file is registered.
    """
    feeds = OwnerFeeds(installation)
    with installation_scope(installation.engine) as connection:
        known = catalog.tenant_keys(connection)
        seen = files.read_files(connection, *_CAME)
    rows = [
        (owner, feed.key, gap.source, gap.first_missing, gap.last_missing, gap.files)
        for owner in known
        if tenant_key in (None, owner)
        for feed in feeds.of_owner(owner)
        if "(?P<sequence>" in feed.match.file_name or feed.checks.sequence.number
        for gap in sequence_audit(_numbered(seen, owner, feed), feed.checks.sequence).gaps
    ]
    # Versions of a feed look at the same files.
    return pl.DataFrame(rows, schema=GAPS, orient="row").unique(maintain_order=True)


def _numbered(seen: pl.DataFrame, owner: str, feed: Feed) -> list[NumberedFile]:
    own = seen.filter(pl.col("tenant_key") == owner, pl.col("feed_key") == feed.key)
    columns = own.select("file_id", "name", "sequence_number").rows()
    facts = [(file_id, name_facts(name, feed), number) for file_id, name, number in columns]
    is_own = feed.checks.sequence.number is not None
    given = [(file, fact, number if is_own else fact.sequence) for file, fact, number in facts]
    return [
        NumberedFile(_source(fact.source, fact.period), number, str(file_id))
        for file_id, fact, number in given
        if number is not None
    ]


def _source(source: str | None, period: str | None) -> str:
    """Numbers begin anew per source, and per period where the name has one."""
    return " ".join(part for part in (source, period) if part) or "all"


def proof_of_files(balances: pl.DataFrame) -> pl.DataFrame:
    """FINDINGS, blocking: files of FILE_BALANCES of which the lake keeps more or less."""
    wrong = balances.filter(
        (pl.col("records") != pl.sum_horizontal("accepted", "suspended", "filtered"))
        | (pl.col("quantity") != pl.col("quantity_kept"))
    )
    return findings(
        wrong,
        control="file_conservation",
        severity="block",
        subject=pl.format("file {} ({})", "file_id", "name"),
        message=pl.format(
            "{} records and quantity {} were decoded, {} records and quantity {} are kept. Load "
            "its landing day again: billing files reload.",
            "records",
            "quantity",
            pl.sum_horizontal("accepted", "suspended", "filtered"),
            "quantity_kept",
        ),
    )
