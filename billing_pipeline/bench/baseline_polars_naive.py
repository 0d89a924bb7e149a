"""The same in straightforward Polars: everything in memory, one join per length of prefix."""

from pathlib import Path

import polars as pl

from billing_pipeline.bench.contest import Clock
from billing_pipeline.bench.usage_files import LONGEST_PREFIX, Inputs

_TERMS = ("unit_price", "minimum_units", "increment_units")


def run(folder: Path, scratch: Path, clock: Clock) -> None:
    """Read, drop duplicates, join accounts, join the card length by length, price, sum."""
    inputs = Inputs(folder)
    with clock.phase("decode"):
        calls = pl.read_csv(
            inputs.calls,
            schema_overrides={"src": pl.String, "dst": pl.String},
            try_parse_dates=True,
        )
        calls = calls.filter(pl.col("disposition") == "ANSWERED")
        calls.write_parquet(scratch / "raw.parquet")
    with clock.phase("rate"):
        rated = _rated(calls, inputs)
        rated.write_parquet(scratch / "rated.parquet")
    with clock.phase("totals"):
        totals = (
            rated.group_by("account_key")
            .agg(events=pl.len().cast(pl.Int64), amount=pl.col("amount").sum())
            .sort("account_key")
        )
    totals.write_parquet(inputs.totals("polars_naive"))


def _rated(calls: pl.DataFrame, inputs: Inputs) -> pl.DataFrame:
    accounts = pl.read_csv(inputs.accounts, schema_overrides={"number": pl.String})
    decimal = pl.Decimal(38, 10)
    card = pl.read_csv(
        inputs.card, schema_overrides={"prefix": pl.String, "unit_price": decimal}
    ).select("prefix", *_TERMS)
    owned = calls.unique("call_id").join(accounts, left_on="src", right_on="number")
    for length in range(LONGEST_PREFIX, 0, -1):
        owned = owned.with_columns(pl.col("dst").str.slice(0, length).alias("prefix")).join(
            card.rename({term: f"{term}_{length}" for term in _TERMS}), on="prefix", how="left"
        )
    longest = {
        term: pl.coalesce(f"{term}_{length}" for length in range(LONGEST_PREFIX, 0, -1))
        for term in _TERMS
    }
    priced = owned.select("account_key", "call_id", "start", "src", "dst", "billsec", **longest)
    step = pl.col("increment_units")
    units = (pl.max_horizontal("billsec", "minimum_units") + step - 1) // step * step
    return priced.filter(pl.col("unit_price").is_not_null()).with_columns(
        amount=units.cast(decimal) * pl.col("unit_price") / pl.lit(60).cast(decimal)
    )
