"""The same as a loop in Python with Decimal: the judge of the others, on a slice."""

import csv
from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import polars as pl

from billing_pipeline.bench.contest import Clock
from billing_pipeline.bench.usage_files import LONGEST_PREFIX, Inputs


def run(folder: Path, scratch: Path, clock: Clock) -> None:
    """Read each record, look at each prefix from the longest, price it, add it up."""
    del scratch
    inputs = Inputs(folder)
    accounts = {row["number"]: row["account_key"] for row in _rows(inputs.accounts)}
    card = {row["prefix"]: row for row in _rows(inputs.card)}
    amounts: dict[str, Decimal] = defaultdict(Decimal)
    events: dict[str, int] = defaultdict(int)
    seen: set[str] = set()
    with clock.phase("rate"):
        for call in _rows(inputs.calls):
            price = _price_of(call["dst"], card)
            account = accounts.get(call["src"])
            if call["disposition"] != "ANSWERED" or call["call_id"] in seen:
                continue
            seen.add(call["call_id"])
            if account is None or price is None:
                continue
            amounts[account] += _units(int(call["billsec"]), price) * Decimal(price["unit_price"])
            events[account] += 1
    totals = pl.DataFrame(
        {
            "account_key": sorted(amounts),
            "events": [events[key] for key in sorted(amounts)],
            "amount": [amounts[key] / 60 for key in sorted(amounts)],
        },
        schema={"account_key": pl.String, "events": pl.Int64, "amount": pl.Decimal(38, 10)},
    )
    totals.write_parquet(inputs.totals("row_by_row"))


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def _price_of(destination: str, card: dict[str, dict[str, str]]) -> dict[str, str] | None:
    for length in range(LONGEST_PREFIX, 0, -1):
        if destination[:length] in card:
            return card[destination[:length]]
    return None


def _units(seconds: int, price: dict[str, str]) -> int:
    minimum, increment = int(price["minimum_units"]), int(price["increment_units"])
    return -(-max(seconds, minimum) // increment) * increment if seconds else 0
