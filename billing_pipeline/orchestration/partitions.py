"""The grids, and the only place where partition keys are read or written.

Usage is kept by UTC day (and tenant); bill runs by local bill day and tenant. Bill days reach two
days ahead because zones east of UTC are a day early.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

import dagster as dg
from dagster._core.instance.types import DynamicPartitionsStore

from billing_pipeline.orchestration.days import ONE_DAY

FIRST_DAY = "2024-01-01"
TENANT_DIMENSION = "tenant"
TENANTS = dg.DynamicPartitionsDefinition(name=TENANT_DIMENSION)
LANDING_DAYS = dg.DailyPartitionsDefinition(FIRST_DAY, end_offset=1)
USAGE_DAYS = dg.DailyPartitionsDefinition(FIRST_DAY, end_offset=1)
_MOST_RANGES = 1_000
_MOST_GAP_DAYS = 7
_MOST_SPAN_DAYS = 62


class TenantGrid(dg.MultiPartitionsDefinition):
    """A grid of time and tenant that lists its keys once, for every tenant and the current day.

    Dagster lists all of them for every check and at every look at a range: three years of fifty
    tenants are 55,000 keys, seconds each time.
    """

    def __init__(self, partitions_defs: dict[str, dg.PartitionsDefinition[str]]) -> None:
        super().__init__(partitions_defs)
        self._listed: tuple[object, Sequence[dg.MultiPartitionKey]] = (None, [])
        self._ranges: dict[tuple[str, str], Sequence[dg.MultiPartitionKey]] = {}

    def get_partition_keys(
        self,
        current_time: dt.datetime | None = None,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> Sequence[dg.MultiPartitionKey]:
        """All keys, as above it."""
        with dg.partition_loading_context(current_time, dynamic_partitions_store) as context:
            stamp = (context.effective_dt.date(), tuple(TENANTS.get_partition_keys()))
            if self._listed[0] != stamp:
                self._listed = (stamp, super().get_partition_keys())
        return list(self._listed[1])

    def get_partition_keys_in_range(
        self,
        partition_key_range: dg.PartitionKeyRange,
        dynamic_partitions_store: DynamicPartitionsStore | None = None,
    ) -> Sequence[dg.MultiPartitionKey]:
        """Keys of a span; those of one tenant stay the same whatever tenants come."""
        span = (str(partition_key_range.start), str(partition_key_range.end))
        if span not in self._ranges:
            found = super().get_partition_keys_in_range(
                partition_key_range, dynamic_partitions_store
            )
            keys = [key for key in found if isinstance(key, dg.MultiPartitionKey)]
            if _tenant_day(span[0]).tenant_key != _tenant_day(span[1]).tenant_key:
                return keys
            if len(self._ranges) >= _MOST_RANGES:
                self._ranges.clear()
            self._ranges[span] = keys
        return list(self._ranges[span])


TENANT_USAGE_DAYS = TenantGrid({"day": USAGE_DAYS, "tenant": TENANTS})
TENANT_BILL_DAYS = TenantGrid(
    {"day": dg.DailyPartitionsDefinition(FIRST_DAY, end_offset=2), "tenant": TENANTS}
)
TENANT_MONTHS = TenantGrid({"month": dg.MonthlyPartitionsDefinition(FIRST_DAY), "tenant": TENANTS})

RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"
TENANT_TAG = "billing/tenant"
Span = tuple[dt.date, dt.date]
"""First and last day."""


class TenantDay(NamedTuple):
    """One partition of a grid."""

    tenant_key: str
    day: dt.date


def tenant_day_key(tenant_key: str, day: dt.date) -> str:
    """Partition key of a tenant's day, as Dagster writes it."""
    return f"{day.isoformat()}|{tenant_key}"


def days_of(keys: Iterable[str]) -> list[dt.date]:
    """Days of a run over a daily grid, in order."""
    return sorted(dt.date.fromisoformat(key) for key in keys)


def tenant_days_of(keys: Iterable[str]) -> list[TenantDay]:
    """Partitions of a run over a tenant grid, by tenant and day.

    Raises: ValueError if the run covers nothing, which Dagster itself would pass in silence.
    """
    parsed = sorted(_tenant_day(key) for key in keys)
    if not parsed:
        raise ValueError("the run covers no partition; was a tenant removed and added again?")
    return parsed


def month_request(tenant_key: str, month: dt.date, version: object) -> dg.RunRequest:
    """One run of a tenant's month."""
    key = dg.MultiPartitionKey({"month": month.isoformat(), "tenant": tenant_key})
    return dg.RunRequest(
        run_key=f"month:{tenant_key}:{month.isoformat()}:{version}", partition_key=key
    )


def _tenant_day(key: str) -> TenantDay:
    if isinstance(key, dg.MultiPartitionKey):
        dimensions = key.keys_by_dimension
        day = dimensions.get("day") or dimensions["month"]
        return TenantDay(dimensions["tenant"], dt.date.fromisoformat(day))
    day, tenant_key = key.split("|", 1)
    return TenantDay(tenant_key, dt.date.fromisoformat(day))


def span_tags(start_key: str, end_key: str) -> dict[str, str]:
    """Run tags that make one run cover every partition from start to end."""
    return {RANGE_START: start_key, RANGE_END: end_key}


def tenant_span_tags(tenant_key: str, first: dt.date, last: dt.date) -> dict[str, str]:
    """Run tags for one tenant's days, first to last inclusive."""
    return {
        **span_tags(tenant_day_key(tenant_key, first), tenant_day_key(tenant_key, last)),
        TENANT_TAG: tenant_key,
    }


def unbroken_spans(days: Iterable[dt.date]) -> list[Span]:
    """Group days into spans without a gap, first and last day of each, in order."""
    return _spans(days, lambda span, day: day - span[1] == ONE_DAY)


def spans_with_gaps(days: Iterable[dt.date], apart: Collection[dt.date]) -> list[Span]:
    """Group days into spans for runs, days on which nothing is to be done among them.

    A run more costs seconds, a day without usage nothing; a day `apart` would be done for nothing,
    so no span goes over it. A span grows to two months only, because Dagster looks through all of
    it for every partition's figures.
    """

    def goes_on(span: Span, day: dt.date) -> bool:
        is_near = (day - span[1]).days <= _MOST_GAP_DAYS
        is_small = (day - span[0]).days < _MOST_SPAN_DAYS
        return is_near and is_small and not any(span[1] < other < day for other in kept_apart)

    kept_apart = set(apart)
    return _spans(days, goes_on)


def _spans(days: Iterable[dt.date], goes_on: Callable[[Span, dt.date], bool]) -> list[Span]:
    spans: list[Span] = []
    for day in sorted(set(days)):
        if spans and goes_on(spans[-1], day):
            spans[-1] = (spans[-1][0], day)
        else:
            spans.append((day, day))
    return spans


def day_span_request(job: str, first: dt.date, last: dt.date, version: object) -> dg.RunRequest:
    """One run of a daily grid over a span; `version` changes when the same span is due again."""
    key = f"{job}:{first.isoformat()}:{last.isoformat()}:{version}"
    return dg.RunRequest(run_key=key, tags=span_tags(first.isoformat(), last.isoformat()))


def tenant_span_request(
    job: str, tenant_key: str, first: dt.date, last: dt.date, version: object
) -> dg.RunRequest:
    """One run of a tenant grid over a span of one tenant's days."""
    key = f"{job}:{tenant_key}:{first.isoformat()}:{last.isoformat()}:{version}"
    return dg.RunRequest(run_key=key, tags=tenant_span_tags(tenant_key, first, last))


def add_tenants(instance: dg.DagsterInstance, tenant_keys: Iterable[str]) -> None:
    """Make tenants known as partitions. Keys are never removed: a key's place must not change."""
    known = set(instance.get_dynamic_partitions(TENANT_DIMENSION))
    new = [key for key in sorted(tenant_keys) if key not in known]
    if new:
        instance.add_dynamic_partitions(TENANT_DIMENSION, new)


def all_tenants(instance: dg.DagsterInstance) -> list[str]:
    """Keys of all tenants known as partitions, in the order of the partitions."""
    return list(instance.get_dynamic_partitions(TENANT_DIMENSION))
