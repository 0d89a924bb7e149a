import datetime as dt

import dagster as dg
import pytest

from billing_pipeline.orchestration.partitions import (
    TENANT_BILL_DAYS,
    TenantDay,
    add_tenants,
    days_of,
    spans_with_gaps,
    tenant_day_key,
    tenant_days_of,
    tenant_span_request,
    unbroken_spans,
)

D = dt.date


def test_a_partition_key_says_tenant_and_day_and_comes_back() -> None:
    key = tenant_day_key("northlink", D(2026, 10, 1))

    assert tenant_days_of([key]) == [TenantDay("northlink", D(2026, 10, 1))]
    assert isinstance(dg.MultiPartitionKey({"day": "2026-10-01", "tenant": "northlink"}), str)
    assert key == dg.MultiPartitionKey({"day": "2026-10-01", "tenant": "northlink"})


def test_partitions_of_a_run_come_in_order_however_dagster_lists_them() -> None:
    keys = {tenant_day_key(t, D(2026, 10, d)) for t in ("b", "a") for d in (2, 1)}

    assert tenant_days_of(keys) == [
        TenantDay("a", D(2026, 10, 1)),
        TenantDay("a", D(2026, 10, 2)),
        TenantDay("b", D(2026, 10, 1)),
        TenantDay("b", D(2026, 10, 2)),
    ]
    assert days_of({"2026-10-02", "2026-10-01"}) == [D(2026, 10, 1), D(2026, 10, 2)]


def test_a_run_over_no_partition_fails_instead_of_passing_in_silence() -> None:
    with pytest.raises(ValueError, match="no partition"):
        tenant_days_of([])


@pytest.mark.parametrize(
    ("days", "spans"),
    [
        pytest.param([], [], id="nothing due"),
        pytest.param([1], [(1, 1)], id="one day"),
        pytest.param([3, 1, 2, 2], [(1, 3)], id="any order, each once"),
        pytest.param([1, 2, 5, 6, 9], [(1, 2), (5, 6), (9, 9)], id="gaps part spans"),
    ],
)
def test_due_days_are_grouped_into_spans_without_gaps(
    days: list[int], spans: list[tuple[int, int]]
) -> None:
    expected = [(D(2026, 10, a), D(2026, 10, b)) for a, b in spans]

    assert unbroken_spans(D(2026, 10, day) for day in days) == expected


def test_a_span_due_again_gets_a_new_run_key() -> None:
    first, again = (
        tenant_span_request("bill", "northlink", D(2026, 10, 1), D(2026, 10, 3), attempt)
        for attempt in (0, 1)
    )

    assert first.run_key != again.run_key
    assert first.tags == again.tags


def test_a_tenant_added_later_keeps_the_places_of_the_others() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        add_tenants(instance, ["b", "c"])
        add_tenants(instance, ["a", "b", "c"])

        assert list(instance.get_dynamic_partitions("tenant")) == ["b", "c", "a"]


def test_bill_days_reach_ahead_for_zones_east_of_utc() -> None:
    days = TENANT_BILL_DAYS.get_partitions_def_for_dimension("day")
    now = dt.datetime(2026, 10, 1, 12, tzinfo=dt.UTC)

    keys = days.get_partition_keys(now)

    assert keys[-1] == "2026-10-02"


def test_days_without_usage_do_not_cut_a_span_but_two_months_do() -> None:
    first = dt.date(2026, 1, 1)
    weekdays = [day for n in range(60) if (day := first + dt.timedelta(days=n)).weekday() < 5]
    quarter = [first + dt.timedelta(days=n) for n in range(90)]

    assert spans_with_gaps(weekdays, ()) == [(first, dt.date(2026, 2, 27))]
    assert spans_with_gaps([first, dt.date(2026, 1, 9)], ()) == [
        (first, first),
        (dt.date(2026, 1, 9), dt.date(2026, 1, 9)),
    ]
    assert spans_with_gaps(quarter, ()) == [
        (first, dt.date(2026, 3, 3)),
        (dt.date(2026, 3, 4), dt.date(2026, 3, 31)),
    ]


def test_a_span_goes_over_no_day_that_would_be_done_for_nothing() -> None:
    stale = [D(2026, 1, day) for day in (5, 7, 9)]

    assert spans_with_gaps(stale, {D(2026, 1, 8)}) == [
        (D(2026, 1, 5), D(2026, 1, 7)),
        (D(2026, 1, 9), D(2026, 1, 9)),
    ]
