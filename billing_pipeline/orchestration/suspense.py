"""The suspense workbench: what waits, why, for how long, and what it is probably worth."""

from dataclasses import dataclass
from typing import Literal

import polars as pl

from billing_pipeline.assurance.suspense_value import average_values, with_estimated_value
from billing_pipeline.books import catalog, files, manifest, suspense
from billing_pipeline.books.scope import installation_scope, tenant_scope
from billing_pipeline.lake import layout
from billing_pipeline.mediation.schema import RAW_USAGE, SUSPENSE
from billing_pipeline.orchestration.days import EVER, ONE_DAY
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.rated_sums import rated_sums

GROUPS = {"reason": "reason", "feed": "feed_key", "identifier": "service_identifier"}
_FRAMES = {
    "decode": layout.DECODE_SUSPENSE,
    "mediate": layout.MEDIATE_SUSPENSE,
    "rate": layout.RATE_SUSPENSE,
}
_RECORD = ["file_key", "record_number"]


@dataclass(frozen=True)
class Choice:
    """Which records a person means; None is all."""

    tenant_key: str | None = None
    stage: str | None = None
    reason: str | None = None
    feed_key: str | None = None
    service_identifier: str | None = None
    file_key: str | None = None
    record_number: int | None = None
    state: Literal["open", "recycled", "resolved", "written_off", "all"] = "open"

    @property
    def is_narrow(self) -> bool:
        """Whether anything but the state was said."""
        return bool(self._conditions())

    def _conditions(self) -> dict[str, object]:
        named = vars(self).items()
        return {name: value for name, value in named if value is not None and name != "state"}

    def of(self, lives: pl.DataFrame) -> pl.DataFrame:
        """The chosen ones of SUSPENSE_STATES."""
        conditions = [pl.col(name) == value for name, value in self._conditions().items()]
        return lives.filter(*conditions) if conditions else lives

    def __str__(self) -> str:
        """For the log of decisions."""
        said = [f"{name} {value}" for name, value in self._conditions().items()]
        return ", ".join(said) or "all"


def read_suspense(installation: Installation, tenant_key: str | None) -> pl.DataFrame:
    """SUSPENSE of every stage as the lake keeps it; of one owner or of all."""
    paths: list[str] = []
    with installation_scope(installation.engine) as connection:
        tenants = [tenant_key] if tenant_key else catalog.tenant_keys(connection)
        for frame in _FRAMES.values():
            for key in tenants:
                current = manifest.partition_paths(connection, frame, key, *EVER)
                paths += current["path"].to_list()
    return (
        installation.lake.scan(paths, SUSPENSE)
        .sort("stage", "reason", "file_key", "record_number")
        .collect()
    )


def read_lives(installation: Installation, choice: Choice) -> pl.DataFrame:
    """SUSPENSE_STATES with estimated_value and currency, of the chosen records."""
    states = () if choice.state == "all" else (choice.state,)
    with installation_scope(installation.engine) as connection:
        lives = suspense.read_suspense_states(connection, *states, tenant_key=choice.tenant_key)
    return valued(installation, choice.of(lives))


def valued(installation: Installation, lives: pl.DataFrame) -> pl.DataFrame:
    """SUSPENSE_STATES with what each record is probably worth: estimated_value and currency.

    The measure is the recent rated usage of the tenant that holds it and of those below it.
    """
    nothing = with_estimated_value(lives.clear(), average_values(rated_sums(installation, [])))
    parts = [nothing]
    for (holder,), own in lives.partition_by("tenant_key", as_dict=True).items():
        sums = rated_sums(installation, tenants_below(installation, str(holder)))
        parts.append(with_estimated_value(own, average_values(sums)))
    return pl.concat(parts)


def tenants_below(installation: Installation, tenant_key: str) -> list[str]:
    """The tenant and those below it."""
    with tenant_scope(installation.engine, tenant_key) as connection:
        return catalog.tenant_keys(connection)


def grouped(lives: pl.DataFrame, by: str) -> pl.DataFrame:
    """One row per reason, feed or identifier and currency: how many, since when, worth what."""
    keys = ["tenant_key", "stage", GROUPS[by], "currency"]
    return (
        lives.group_by(keys, maintain_order=True)
        .agg(
            pl.len().alias("records"),
            pl.col("first_seen_at").min().alias("oldest"),
            pl.col("attempts").max(),
            pl.col("started_at").min().dt.date().alias("first_day"),
            pl.col("estimated_value").sum(),
            pl.col("estimated_value").is_null().sum().alias("unvalued"),
        )
        .sort("records", *keys, descending=[True] + [False] * len(keys))
    )


def with_details(installation: Installation, lives: pl.DataFrame) -> pl.DataFrame:
    """The chosen lives with `file_name`, `detail` and `raw`: the record as it stood in its file.

    A record that mediation or rating suspended is shown as it was read.
    """
    shown = _suspended(installation, lives)
    with installation_scope(installation.engine) as connection:
        known = files.read_files(connection, "loaded", "superseded")
    names = known.drop_nulls("file_key").select("file_key", file_name="name").unique("file_key")
    joined = lives.join(
        shown, on=["stage", *_RECORD], how="left", validate="m:1", maintain_order="left"
    ).join(names, on="file_key", how="left", validate="m:1", maintain_order="left")
    missing = joined.filter(pl.col("raw").is_null()).select("tenant_key", *_RECORD)
    read = _as_read(installation, known, missing.unique(_RECORD))
    return (
        joined.join(read, on=_RECORD, how="left", validate="m:1", maintain_order="left")
        .with_columns(raw=pl.coalesce("raw", "as_read"))
        .drop("as_read")
    )


def _suspended(installation: Installation, lives: pl.DataFrame) -> pl.DataFrame:
    """The rows of the lake's suspense frames of the partitions that the lives name."""
    paths: list[str] = []
    spans = lives.group_by("tenant_key", "stage").agg(
        first=pl.col("partition_day").min(), last=pl.col("partition_day").max()
    )
    with installation_scope(installation.engine) as connection:
        for tenant_key, stage, first, last in spans.rows():
            current = manifest.partition_paths(
                connection, _FRAMES[stage], tenant_key, first, last + ONE_DAY
            )
            paths += current["path"].to_list()
    wanted = lives.select("stage", *_RECORD).unique()
    return (
        installation.lake.scan(paths, SUSPENSE)
        .select("stage", *_RECORD, "detail", "raw")
        .join(wanted.lazy(), on=["stage", *_RECORD], how="semi")
        .unique(["stage", *_RECORD], keep="first", maintain_order=True)
        .collect()
    )


def _as_read(
    installation: Installation, known: pl.DataFrame, records: pl.DataFrame
) -> pl.DataFrame:
    """RAW_USAGE of records as one text each: field and value."""
    landed = known.filter(pl.col("file_key").is_in(records["file_key"].unique().implode()))
    paths: list[str] = []
    with installation_scope(installation.engine) as connection:
        for owner, day in landed.select("tenant_key", "landing_day").unique().rows():
            current = manifest.partition_paths(
                connection, layout.RAW_USAGE, owner, day, day + ONE_DAY
            )
            paths += current["path"].to_list()
    shown = [name for name in RAW_USAGE.names if name not in {"feed_key", "identity", *_RECORD}]
    return (
        installation.lake.scan(sorted(set(paths)), RAW_USAGE)
        .join(records.lazy(), on=_RECORD, how="semi")
        .select(
            *_RECORD,
            as_read=pl.concat_str(
                [pl.format("{}={}", pl.lit(name), pl.col(name).cast(pl.String)) for name in shown],
                separator=" ",
                ignore_nulls=True,
            ),
        )
        .unique(_RECORD, keep="first", maintain_order=True)
        .collect()
    )
