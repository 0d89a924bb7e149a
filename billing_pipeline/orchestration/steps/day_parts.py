"""What mediating one owner's day came to, piece by piece: parts in the lake, sums, suspense."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from decimal import Decimal

import polars as pl

from billing_pipeline.assurance.conservation import conservation_row
from billing_pipeline.assurance.schema import CONSERVATION
from billing_pipeline.lake import layout
from billing_pipeline.lake.layout import day_folder
from billing_pipeline.lake.store import Lake, Part
from billing_pipeline.mediation.mediate import STAGE
from billing_pipeline.mediation.schema import SET_ASIDE, SUSPENSE, USAGE_EVENTS
from billing_pipeline.orchestration.steps.keep import CHUNKS, WrittenPartition
from billing_pipeline.vocabulary.outcome import Outcome

_IN_LIVES = [
    "feed_key",
    "file_key",
    "record_number",
    "reason",
    "service_identifier",
    "started_at",
    "quantity",
]
_PARTITION = ["stage", "partition_day", "tenant_key", "feed_key"]


class DayParts:
    """Writes the outcome of each piece to the lake and keeps what the books must know of it.

    `earlier` are tenants that have events of the day already: without any now, they have none.
    """

    def __init__(self, lake: Lake, owner_key: str, day: dt.date, earlier: Collection[str]) -> None:
        self._lake = lake
        self._owner_key = owner_key
        self._day = day
        self._parts: dict[tuple[str, str], list[Part]] = defaultdict(list)
        for tenant_key in sorted(earlier):
            self._parts[layout.MEDIATED_USAGE, tenant_key] = []
        for frame in (layout.MEDIATE_SUSPENSE, layout.MEDIATE_SET_ASIDE):
            self._parts[frame, owner_key] = []
        self._suspended: list[pl.DataFrame] = []
        self._equations: list[pl.DataFrame] = []

    def add(self, raw: pl.DataFrame, outcome: Outcome) -> None:
        """Keep what became of one piece of the day."""
        for (tenant_key,), events in outcome.accepted.partition_by(
            "tenant_key", as_dict=True, maintain_order=True
        ).items():
            self._write(layout.MEDIATED_USAGE, str(tenant_key), USAGE_EVENTS.conform(events))
        set_aside = SET_ASIDE.conform(pl.concat([outcome.duplicates, outcome.filtered]))
        self._write(layout.MEDIATE_SUSPENSE, self._owner_key, SUSPENSE.conform(outcome.suspended))
        self._write(layout.MEDIATE_SET_ASIDE, self._owner_key, set_aside)
        self._suspended.append(outcome.suspended.select(_IN_LIVES))
        quantity = Decimal(raw["quantity"].sum() or 0)
        self._equations.append(
            conservation_row(STAGE, self._day, self._owner_key, "", raw.height, quantity, outcome)
        )

    def partitions(self) -> list[WrittenPartition]:
        """Every partition of the day, also those that are empty now."""
        return [
            WrittenPartition(frame, tenant_key, _chunks(parts))
            for (frame, tenant_key), parts in sorted(self._parts.items())
        ]

    def equation(self) -> pl.DataFrame:
        """The whole day's CONSERVATION: the sum of its pieces."""
        counts = [name for name in CONSERVATION.names if name not in _PARTITION]
        summed = pl.concat(self._equations).group_by(_PARTITION, maintain_order=True)
        return CONSERVATION.conform(
            summed.agg(pl.col(counts).sum()).cast(CONSERVATION.polars_schema)
        )

    def suspended(self) -> pl.DataFrame:
        """What waits, in the columns the books keep."""
        return pl.concat([SUSPENSE.empty().select(_IN_LIVES), *self._suspended])

    def tenants(self) -> list[str]:
        """Tenants that have, or had, events of the day."""
        return sorted(key for frame, key in self._parts if frame == layout.MEDIATED_USAGE)

    def event_paths(self) -> list[str]:
        """Where the events of all tenants lie now."""
        return [
            part.path
            for (frame, _), parts in sorted(self._parts.items())
            if frame == layout.MEDIATED_USAGE
            for part in parts
        ]

    def _write(self, frame: str, tenant_key: str, rows: pl.DataFrame) -> None:
        if rows.height:
            folder = day_folder(frame, tenant_key, self._day)
            self._parts[frame, tenant_key].append(self._lake.write(rows, folder))


def _chunks(parts: list[Part]) -> pl.DataFrame:
    """One part is all of its partition; of several the numbers keep the order."""
    names = ["all"] if len(parts) == 1 else [f"{number:05}" for number in range(len(parts))]
    rows = [
        (name, part.path, part.rows, part.bytes) for name, part in zip(names, parts, strict=True)
    ]
    return pl.DataFrame(rows, schema=CHUNKS, orient="row")
