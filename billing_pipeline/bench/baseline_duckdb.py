"""The same in DuckDB, as a good data engineer would write it on a quiet afternoon.

It has no suspense, no effective dates, no bands, no explanation and no checks; we have them all.
"""

from pathlib import Path

import duckdb
import polars as pl

from billing_pipeline.bench.contest import Clock
from billing_pipeline.bench.usage_files import LONGEST_PREFIX, Inputs

RAW = """
copy (
    select call_id, start, src, dst, billsec, disposition
    from read_csv(
        '{calls}', header = true, columns = {{
            'call_id': 'varchar', 'start': 'timestamp', 'src': 'varchar', 'dst': 'varchar',
            'billsec': 'integer', 'disposition': 'varchar'
        }}
    )
    where disposition = 'ANSWERED'
) to '{scratch}/raw.parquet' (format parquet, compression zstd)
"""

REFERENCE = """
create table accounts as
select number, account_key
from read_csv('{accounts}', columns = {{'number': 'varchar', 'account_key': 'varchar'}});
create table card as
select * from read_csv('{card}', columns = {{
    'prefix': 'varchar', 'name': 'varchar', 'unit_price': 'decimal(18,6)',
    'minimum_units': 'integer', 'increment_units': 'integer'
}});
"""

JOINS = "\n".join(
    f"left join card as p{length} on p{length}.prefix = substr(c.dst, 1, {length})"
    for length in range(1, LONGEST_PREFIX + 1)
)


def longest(column: str) -> str:
    """The column of the longest prefix that was joined."""
    joined = ", ".join(f"p{length}.{column}" for length in range(LONGEST_PREFIX, 0, -1))
    return f"coalesce({joined}) as {column}"


RATED = f"""
copy (
    with calls as (
        select distinct on (call_id) * from '{{scratch}}/raw.parquet'
    ),
    matched as (
        select
            c.*, a.account_key, {longest("prefix")}, {longest("unit_price")},
            {longest("minimum_units")}, {longest("increment_units")}
        from calls as c
        join accounts as a on a.number = c.src
        {JOINS}
    ),
    stepped as (
        select *, case when billsec = 0 then 0 else
            (greatest(billsec, minimum_units) + increment_units - 1) // increment_units
            * increment_units end as billable_units
        from matched
        where prefix is not null
    )
    select *, billable_units::decimal(18, 0) * unit_price as amount_times_60
    from stepped
) to '{{scratch}}/rated.parquet' (format parquet, compression zstd)
"""  # noqa: S608 - only constants of this module

TOTALS = """
select account_key, count(*) as events, sum(amount_times_60)::varchar as amount_times_60
from '{scratch}/rated.parquet' group by account_key order by account_key
"""


def run(folder: Path, scratch: Path, clock: Clock) -> None:
    """CSV to Parquet, duplicates, account, prefix, increments, price, totals."""
    inputs = Inputs(folder)
    paths = {
        "calls": inputs.calls,
        "accounts": inputs.accounts,
        "card": inputs.card,
        "scratch": scratch,
    }
    connection = duckdb.connect()
    connection.execute("set preserve_insertion_order = false")
    connection.execute("set memory_limit = '4GB'")
    connection.execute(f"set temp_directory = '{scratch}'")
    with clock.phase("decode"):
        connection.execute(RAW.format(**paths))
    with clock.phase("rate"):
        connection.execute(REFERENCE.format(**paths))
        connection.execute(RATED.format(**paths))
    with clock.phase("totals"):
        rows = connection.execute(TOTALS.format(**paths)).fetchall()
    totals = pl.DataFrame(
        rows,
        schema={"account_key": pl.String, "events": pl.Int64, "amount_times_60": pl.String},
        orient="row",
    )
    amount = pl.col("amount_times_60").cast(pl.Decimal(38, 10)) / 60
    totals.select("account_key", "events", amount=amount).write_parquet(inputs.totals("duckdb"))
