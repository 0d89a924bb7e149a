"""What a feed would make of a file: every record counted, nothing touched."""

from dataclasses import asdict, dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import IO

import polars as pl
import yaml
from pydantic import ValidationError

from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.intake.archive import open_usage
from billing_pipeline.mediation.decode import decode_blocks
from billing_pipeline.mediation.match import matching_feed
from billing_pipeline.mediation.refusal import FileRefused
from billing_pipeline.vocabulary.identifiers import content_key
from billing_pipeline.vocabulary.outcome import Outcome
from billing_pipeline.vocabulary.problems import ConfigurationRefused, Problem

_EXAMPLES = 3


@dataclass
class FeedReport:
    """One file's records by where they would go, with the first examples of what would not."""

    file: str
    state: str = "accepted"
    message: str = ""
    records: int = 0
    accepted: int = 0
    duplicates: int = 0
    quantity: Decimal = Decimal(0)
    suspended: dict[str, int] = field(default_factory=dict)
    filtered: dict[str, int] = field(default_factory=dict)
    examples: list[str] = field(default_factory=list)

    @property
    def is_conserved(self) -> bool:
        """Whether every record is accounted for."""
        put = sum(self.suspended.values()) + sum(self.filtered.values())
        return self.records == self.accepted + self.duplicates + put

    def as_dict(self) -> dict[str, object]:
        """For machines."""
        return {**asdict(self), "quantity": str(self.quantity), "is_conserved": self.is_conserved}

    def __str__(self) -> str:
        """For people."""
        lines = [f"{self.file}: {self.state} {self.message}".rstrip()]
        lines.append(
            f"  {self.records} records: {self.accepted} accepted with quantity "
            f"{self.quantity.normalize():f}, {self.duplicates} duplicates"
        )
        lines += [f"  {count:>7} suspended: {why}" for why, count in self.suspended.items()]
        lines += [f"  {count:>7} filtered: {why}" for why, count in self.filtered.items()]
        return "\n".join([*lines, *(f"    e.g. {example}" for example in self.examples)])


def check_feed(definition: Path, file: Path) -> FeedReport:
    """Decode a file by a feed definition.

    Raises: ConfigurationRefused if the definition has mistakes.
    """
    feed = read_feed(definition)
    if matching_feed(file.name, [feed]) is None:
        wanted = feed.match.file_name
        return FeedReport(file.name, "refused", f"the name does not fit the pattern {wanted}")
    report = FeedReport(file.name)
    identities: list[pl.Series] = []
    try:
        with open_usage(str(file), file.name, feed.match.max_bytes, feed.match.max_ratio) as stream:
            _count(report, feed, stream, identities)
    except FileRefused as refusal:
        return FeedReport(file.name, "quarantined", refusal.message)
    report.duplicates = _repeated(identities)
    report.accepted -= report.duplicates
    if report.records == 0:
        report.state = "empty"
    return report


def read_feed(definition: Path) -> Feed:
    """Read one feed definition.

    Raises: ConfigurationRefused with every mistake.
    """
    try:
        return Feed.model_validate(yaml.safe_load(definition.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise ConfigurationRefused(
            [
                Problem(definition.name, None, ".".join(map(str, wrong["loc"])), wrong["msg"])
                for wrong in error.errors()
            ]
        ) from None


def _count(report: FeedReport, feed: Feed, stream: IO[bytes], identities: list[pl.Series]) -> None:
    for block in decode_blocks(feed, stream, content_key(report.file.encode())):
        numbers = [int(str(part["record_number"].max() or 0)) for part in block if part.height]
        report.records = max([report.records, *numbers])
        report.accepted += block.accepted.height
        report.quantity += Decimal(block.accepted["quantity"].sum() or 0)
        identities.append(block.accepted["identity"])
        _count_reasons(report, block)


def _count_reasons(report: FeedReport, block: Outcome) -> None:
    for counted, rows in ((report.suspended, block.suspended), (report.filtered, block.filtered)):
        for reason, count in rows.group_by("reason").len().sort("reason").rows():
            counted[reason] = counted.get(reason, 0) + count
    room = _EXAMPLES - len(report.examples)
    wanted = block.suspended.head(max(room, 0)).select("record_number", "detail", "raw")
    report.examples += [f"record {n}: {detail}: {raw}" for n, detail, raw in wanted.rows()]


def _repeated(identities: list[pl.Series]) -> int:
    every = pl.concat(identities) if identities else pl.Series(dtype=pl.String)
    return every.len() - every.n_unique()
