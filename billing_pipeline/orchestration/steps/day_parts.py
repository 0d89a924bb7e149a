"""What a stage makes of one day, piece by piece: parts in the lake, the equation, what waits."""

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal

import polars as pl

from billing_pipeline.assurance.conservation import conservation_row
from billing_pipeline.assurance.schema import CONSERVATION
from billing_pipeline.lake.layout import day_folder
from billing_pipeline.lake.store import Lake, Part
from billing_pipeline.mediation.schema import SUSPENSE
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
    """Writes a stage's outcome of each piece of a day to the lake, and sums what the books keep.

    `partitions` are those that become empty where nothing is written to them.
    """

    def __init__(
        self,
        lake: Lake,
        stage: str,
        tenant_key: str,
        day: dt.date,
        partitions: Iterable[tuple[str, str]],
    ) -> None:
        self._lake = lake
        self._stage = stage
        self.tenant_key = tenant_key
        self._day = day
        self._parts: dict[tuple[str, str], list[Part]] = {key: [] for key in partitions}
        self._suspended: list[pl.DataFrame] = []
        self._equations: list[pl.DataFrame] = []

    def write(self, frame: str, tenant_key: str, rows: pl.DataFrame) -> None:
        """Write rows of a frame as a part; none are written nowhere."""
        parts = self._parts.setdefault((frame, tenant_key), [])
        if rows.height:
            parts.append(self._lake.write(rows, day_folder(frame, tenant_key, self._day)))

    def count(self, given: pl.DataFrame, outcome: Outcome) -> None:
        """Add one piece to the equation of the day, and to what waits."""
        quantity = Decimal(given["quantity"].sum() or 0)
        self._suspended.append(outcome.suspended.select(_IN_LIVES))
        self._equations.append(
            conservation_row(
                self._stage, self._day, self.tenant_key, "", given.height, quantity, outcome
            )
        )

    def joined(self, others: Iterable["DayParts"]) -> "DayParts":
        """This with what others made of the same day, in their order."""
        for other in others:
            for key, parts in other._parts.items():  # noqa: SLF001 - of its own kind
                self._parts.setdefault(key, []).extend(parts)
            self._suspended += other._suspended  # noqa: SLF001
            self._equations += other._equations  # noqa: SLF001
        return self

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

    def tenants(self, frame: str) -> list[str]:
        """Tenants that have, or had, rows of a frame on the day."""
        return sorted(key for name, key in self._parts if name == frame)

    def paths(self, frame: str) -> list[str]:
        """Where the rows of a frame lie now, of all tenants."""
        return [
            part.path
            for (name, _), parts in sorted(self._parts.items())
            if name == frame
            for part in parts
        ]


def _chunks(parts: list[Part]) -> pl.DataFrame:
    """One part is all of its partition; of several the numbers keep the order."""
    names = ["all"] if len(parts) == 1 else [f"{number:05}" for number in range(len(parts))]
    rows = [
        (name, part.path, part.rows, part.bytes) for name, part in zip(names, parts, strict=True)
    ]
    return pl.DataFrame(rows, schema=CHUNKS, orient="row")
