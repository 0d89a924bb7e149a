"""Decode a usage file: frame, read, normalise, validate, in blocks of bounded size."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import IO

import polars as pl

from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.mediation.fields import column_of
from billing_pipeline.mediation.framing.framing import framed_blocks
from billing_pipeline.mediation.normalise import STRUCTURAL, Normalised, Source, normalise
from billing_pipeline.mediation.plan import Plan, plan_of
from billing_pipeline.mediation.refusal import FileRefused, QuarantineReason
from billing_pipeline.vocabulary.outcome import NotConserved, Outcome

LEAST_ERRORS = 20
"""A file with fewer bad records than this is never refused for its share of errors."""


def decode_blocks(
    feed: Feed, stream: IO[bytes], file_key: str, *, landed_at: dt.datetime | None = None
) -> Iterator[Outcome]:
    """Every record of a decompressed usage file in exactly one frame of an outcome per block.

    accepted: RAW_USAGE; suspended: SUSPENSE; filtered: SET_ASIDE; duplicates are found later.
    `landed_at` is the instant the file came, the measure of future and late events.
    Raises: FileRefused for a file that must be quarantined whole, also after some blocks: what
    was decoded of it must then be discarded.
    """
    plan = plan_of(feed)
    totals = _Totals(plan)
    for block in framed_blocks(feed, stream):
        check_columns(feed, block.names)
        if not block.records:
            continue
        normalised = normalise(plan, block, Source(file_key, landed_at))
        _check_conserved(block.records, normalised.outcome)
        totals.add(normalised)
        yield normalised.outcome
    totals.finish()


def check_columns(feed: Feed, columns: list[str]) -> None:
    """A file says its columns even without records; a line too long to read says none.

    Raises: FileRefused if the file lacks a column that no record can be without.
    """
    if not columns:
        return
    needed = essential_fields(feed)
    for name, spec in feed.fields.items():
        if name in needed and not spec.join and column_of(spec, name, columns) is None:
            raise FileRefused(
                QuarantineReason.MISSING_COLUMN,
                f"the file has no column for field {name!r}; it has {columns[:40]}",
            )


def essential_fields(feed: Feed) -> set[str]:
    """Fields without which no record can become an event: required ones and identity."""
    required = {name for name, spec in feed.fields.items() if spec.required}
    plain = {feed.event.service_identifier, feed.event.started_at, feed.event.quantity}
    return required | set(feed.identity) | (plain & set(feed.fields))


def _check_conserved(records: int, outcome: Outcome) -> None:
    heights = [part.height for part in outcome]
    if sum(heights) != records:
        raise NotConserved(f"decode: {records} records in, {heights} out")


def check_error_share(feed: Feed, errors: int, records: int) -> None:
    """Raises: FileRefused if so many records cannot be read that the file is not of the feed."""
    limit = feed.checks.max_error_percent
    if errors >= LEAST_ERRORS and errors * 100 > limit * records:
        raise FileRefused(
            QuarantineReason.TOO_MANY_ERRORS,
            f"{errors} of {records} records cannot be read; limit {limit} %",
        )


class _Totals:
    """What a file as a whole must show: few errors, and the totals of its trailer."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.records = 0
        self.errors = 0
        self.usage = 0
        self.quantity = Decimal(0)
        self.claims: list[pl.DataFrame] = []

    def add(self, normalised: Normalised) -> None:
        outcome, control = normalised
        self.records += sum(part.height for part in outcome)
        self.errors += int(outcome.suspended["reason"].is_in(list(STRUCTURAL)).sum())
        self.usage += sum(part.height for part in outcome) - control.height
        for part in outcome:
            self.quantity += Decimal(part["quantity"].sum() or 0) if part.height else Decimal(0)
        if self.plan.trailer and control.height:
            claims = control.filter(self.plan.trailer["when"])
            self.claims.append(
                claims.select(
                    expr.alias(name) for name, expr in self.plan.trailer.items() if name != "when"
                )
            )
        # The file is refused as soon as it is plain that it is not of this feed.
        self._check_errors()

    def finish(self) -> None:
        """Compare with the trailer. Raises: FileRefused."""
        if self.plan.trailer:
            self._check_trailer()

    def _check_errors(self) -> None:
        check_error_share(self.plan.feed, self.errors, self.records)

    def _check_trailer(self) -> None:
        claims = pl.concat(self.claims) if self.claims else pl.DataFrame()
        if not claims.height and (self.records or self.plan.trailer):
            raise FileRefused(QuarantineReason.MISSING_TRAILER, "the file has no trailer record")
        found = {"records": Decimal(self.usage), "quantity": self.quantity}
        for name in claims.columns:
            claimed = Decimal(claims[name].sum() or 0)
            if claimed != found[name]:
                raise FileRefused(
                    QuarantineReason.TRAILER_MISMATCH,
                    f"the trailer says {_plain(claimed)} {name}, "
                    f"the file has {_plain(found[name])}",
                )


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"
