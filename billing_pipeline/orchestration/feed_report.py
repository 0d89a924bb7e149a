"""One file's records by where they would go, with the first examples of what would not."""

from dataclasses import asdict, dataclass, field
from decimal import Decimal

import polars as pl

from billing_pipeline.vocabulary.outcome import Outcome, SuspenseReason

EXAMPLES_EACH = 3
PLACES = ("accepted", "duplicates", "pending", "suspended", "filtered")


@dataclass
class FeedReport:
    """What would become of one file.

    `pending` are parts of sessions whose end is not there yet. `quantities` has a sum for each
    place; `quantity_in` is what its records had when they were decoded.
    """

    file: str
    file_key: str
    state: str = "accepted"
    message: str = ""
    records: int = 0
    accepted: int = 0
    duplicates: int = 0
    pending: int = 0
    suspended: dict[str, int] = field(default_factory=dict)
    filtered: dict[str, int] = field(default_factory=dict)
    quantity_in: Decimal = Decimal(0)
    quantities: dict[str, Decimal] = field(
        default_factory=lambda: dict.fromkeys(PLACES, Decimal(0))
    )
    examples: dict[str, list[str]] = field(default_factory=dict)

    @property
    def is_conserved(self) -> bool:
        """Whether every record and all quantity are accounted for."""
        put = sum(self.suspended.values()) + sum(self.filtered.values()) + self.pending
        return self.records == self.accepted + self.duplicates + put and self.quantity_in == sum(
            self.quantities.values()
        )

    def add_decoded(self, block: Outcome) -> None:
        """Count what decoding made of a block; what it accepted is still to be mediated."""
        numbers = [int(str(part["record_number"].max() or 0)) for part in block if part.height]
        self.records = max([self.records, *numbers])
        self.quantity_in += sum((_quantity(part) for part in block), Decimal(0))
        self._put("suspended", block.suspended)
        self._put("filtered", block.filtered)

    def restate(self, decoded: pl.DataFrame, used: pl.DataFrame) -> None:
        """Take what was counted between readings of counters for the readings themselves."""
        before, after = (_quantity(rows.filter(self._is_own())) for rows in (decoded, used))
        self.quantity_in += after - before

    def _is_own(self) -> pl.Expr:
        return pl.col("file_key") == self.file_key

    def add_mediated(self, outcome: Outcome) -> None:
        """Count this file's share of what mediation made of all files."""
        accepted, suspended, duplicates, filtered = (
            part.filter(pl.col("file_key") == self.file_key) for part in outcome
        )
        is_pending = pl.col("reason") == SuspenseReason.INCOMPLETE_SESSION.value
        waiting = suspended.filter(is_pending)
        self.accepted += accepted.height
        self.duplicates += duplicates.height
        self.pending += waiting.height
        for place, rows in (
            ("accepted", accepted),
            ("duplicates", duplicates),
            ("pending", waiting),
        ):
            self.quantities[place] += _quantity(rows)
        self._put("suspended", suspended.filter(~is_pending))
        self._put("filtered", filtered)

    def as_dict(self) -> dict[str, object]:
        """For machines; quantities are texts, so that they stay exact."""
        return {
            **asdict(self),
            "quantity_in": str(self.quantity_in),
            "quantities": {place: str(sum_) for place, sum_ in self.quantities.items()},
            "is_conserved": self.is_conserved,
        }

    def __str__(self) -> str:
        """For people."""
        lines = [f"{self.file}: {self.state} {self.message}".rstrip()]
        lines.append(
            f"  {self.records} records: {self.accepted} accepted with quantity "
            f"{self.quantities['accepted'].normalize():f}, {self.duplicates} duplicates"
        )
        if self.pending:
            lines.append(f"  {self.pending:>7} pending: the end of their session has not come")
        for what, counts in (("suspended", self.suspended), ("filtered", self.filtered)):
            for reason, count in counts.items():
                lines.append(f"  {count:>7} {what}: {reason}")
                lines += [f"    e.g. {example}" for example in self.examples.get(reason, [])]
        if not self.is_conserved:
            lines.append(
                f"  NOT CONSERVED: {self.records} records with quantity {self.quantity_in} went "
                "in, other sums came out; please report this file"
            )
        return "\n".join(lines)

    def _put(self, place: str, rows: pl.DataFrame) -> None:
        counts = self.suspended if place == "suspended" else self.filtered
        self.quantities[place] += _quantity(rows)
        for reason, count in rows.group_by("reason").len().sort("reason").rows():
            counts[reason] = counts.get(reason, 0) + count
            if place == "suspended":
                self._keep_examples(reason, rows)

    def _keep_examples(self, reason: str, rows: pl.DataFrame) -> None:
        kept = self.examples.setdefault(reason, [])
        chosen = rows.filter(pl.col("reason") == reason).sort("record_number")
        for number, detail, raw in (
            chosen.select("record_number", "detail", "raw")
            .head(max(EXAMPLES_EACH - len(kept), 0))
            .rows()
        ):
            kept.append(": ".join(str(part) for part in (f"record {number}", detail, raw) if part))


def _quantity(rows: pl.DataFrame) -> Decimal:
    return Decimal(rows["quantity"].sum() or 0) if rows.height else Decimal(0)
