import datetime as dt

import pytest
import sqlalchemy as sa

from billing_pipeline.books.due import (
    BillDayClosed,
    complete_bill_day,
    due_bill_days,
    fail_bill_day,
    mark_rating_days_stale,
    plan_bill_days,
    record_mediated,
    record_rated,
    stale_rating_days,
    stale_usage_days,
    start_bill_day,
    touch_usage_days,
)
from billing_pipeline.books.scope import installation_scope
from billing_pipeline.books.staleness import mark_changed_days_stale
from billing_pipeline_tests.books.builders import (
    NOON,
    Values,
    account,
    apply,
    subscription,
    tenant_document,
    tenant_rows,
)

pytestmark = pytest.mark.postgres

MON, TUE = dt.date(2026, 1, 5), dt.date(2026, 1, 6)


def utc(*parts: int) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=dt.UTC)  # type: ignore[arg-type, misc]


def brand(
    engine: sa.Engine, started_on: dt.date, *, zone: str = "America/New_York", hour: int = 2
) -> None:
    apply(
        engine,
        tenant_rows(
            document=tenant_document("acme", time_zone=zone, bill_hour=hour),
            subscriptions=(subscription("S1", started_on=started_on),),
        ),
    )


def test_a_day_touched_while_it_is_computed_stays_stale(engine: sa.Engine) -> None:
    apply(engine, tenant_rows())
    with installation_scope(engine) as connection:
        touch_usage_days(connection, "acme", [TUE, MON])
        assert stale_usage_days(connection).rows() == [("acme", MON, 1), ("acme", TUE, 1)]

        touch_usage_days(connection, "acme", [MON])  # a late file, while MON is being mediated
        record_mediated(connection, "acme", MON, 1, ["acme"])
        record_mediated(connection, "acme", TUE, 1, [])
        assert stale_usage_days(connection).rows() == [("acme", MON, 2)]

        record_mediated(connection, "acme", MON, 2, ["acme"])
        assert stale_usage_days(connection).is_empty()
        assert stale_rating_days(connection).rows() == [("acme", MON, 2)]


def test_an_older_run_does_not_make_a_newer_one_stale(engine: sa.Engine) -> None:
    apply(engine, tenant_rows())
    with installation_scope(engine) as connection:
        touch_usage_days(connection, "acme", [MON])
        touch_usage_days(connection, "acme", [MON])
        record_mediated(connection, "acme", MON, 2, [])
        record_mediated(connection, "acme", MON, 1, [])

        assert stale_usage_days(connection).is_empty()


def test_new_prices_make_days_with_usage_stale(engine: sa.Engine) -> None:
    apply(engine, tenant_rows())
    with installation_scope(engine) as connection:
        touch_usage_days(connection, "acme", [MON, TUE])
        for day in (MON, TUE):
            record_mediated(connection, "acme", day, 1, ["acme"])
            record_rated(connection, "acme", day, 1)
        assert stale_rating_days(connection).is_empty()

        assert mark_rating_days_stale(connection, "acme", TUE, dt.date(2026, 2, 1)) == 1
        assert stale_rating_days(connection).rows() == [("acme", TUE, 2)]


@pytest.mark.parametrize(
    ("after", "zone", "stale"),
    [
        pytest.param({"city": "Elsewhere"}, "Europe/Berlin", [], id="another address"),
        pytest.param({"account_type": "reseller"}, "Europe/Berlin", [TUE], id="another type"),
        pytest.param({"parent_key": "A2"}, "Europe/Berlin", [TUE], id="another parent"),
        pytest.param({"currency": "USD"}, "Europe/Berlin", [TUE], id="another currency"),
        pytest.param({}, "America/New_York", [MON, TUE], id="another zone"),
    ],
)
def test_accounts_elsewhere_in_the_tree_and_other_zones_are_rated_anew(
    engine: sa.Engine, after: Values, zone: str, stale: list[dt.date]
) -> None:
    """The account was opened on Wednesday: a day's room for zones reaches back to Tuesday."""
    opened = {"opened_on": dt.date(2026, 1, 7)}
    apply(engine, tenant_rows(accounts=(account("A1", **opened), account("A2", **opened))))
    with installation_scope(engine) as connection:
        touch_usage_days(connection, "acme", [MON, TUE])
        for day in (MON, TUE):
            record_mediated(connection, "acme", day, 1, ["acme"])
            record_rated(connection, "acme", day, 1)
    later = NOON + dt.timedelta(days=1)

    apply(
        engine,
        tenant_rows(
            document=tenant_document("acme", time_zone=zone),
            accounts=(account("A1", **{**opened, **after}), account("A2", **opened)),
        ),
        at=later,
    )
    with installation_scope(engine) as connection:
        mark_changed_days_stale(connection, "acme", later)

        assert [day for _, day, _ in stale_rating_days(connection).rows()] == stale


@pytest.mark.parametrize(
    ("now", "days"),
    [
        pytest.param(utc(2026, 3, 7, 6, 59), [], id="a minute before two in New York"),
        pytest.param(utc(2026, 3, 7, 7), [7], id="two in New York"),
        pytest.param(utc(2026, 3, 8, 6, 59), [7], id="clocks about to go forward"),
        pytest.param(utc(2026, 3, 8, 7), [7, 8], id="two o'clock does not exist, it is three"),
        pytest.param(utc(2026, 3, 9, 5, 59), [7, 8], id="a minute before two in summer time"),
        pytest.param(utc(2026, 3, 9, 6), [7, 8, 9], id="two in summer time"),
        pytest.param(utc(2026, 3, 12, 12), [7, 8, 9, 10, 11, 12], id="after days of silence"),
    ],
)
def test_a_local_day_is_due_when_its_hour_has_come(
    engine: sa.Engine, now: dt.datetime, days: list[int]
) -> None:
    brand(engine, dt.date(2026, 3, 7))
    with installation_scope(engine) as connection:
        assert plan_bill_days(connection, now) == len(days)
        due = due_bill_days(connection, limit=100).get_column("bill_day").to_list()

    assert due == [dt.date(2026, 3, day) for day in days]


@pytest.mark.parametrize(
    ("zone", "hour"),
    [("America/New_York", 1), ("America/New_York", 2), ("Europe/London", 1), ("Asia/Beirut", 0)],
)
def test_ticking_every_hour_through_clock_changes_plans_every_day_once(
    engine: sa.Engine, zone: str, hour: int
) -> None:
    brand(engine, dt.date(2026, 1, 1), zone=zone, hour=hour)
    changes = [utc(2026, 3, 7), utc(2026, 3, 28), utc(2026, 10, 24), utc(2026, 10, 31)]
    with installation_scope(engine) as connection:
        for start in changes:
            for tick in range(3 * 24):
                plan_bill_days(connection, start + tick * dt.timedelta(hours=1))
        planned = due_bill_days(connection, limit=1000).get_column("bill_day").to_list()

    last = planned[-1]
    whole = [dt.date(2026, 1, 1) + dt.timedelta(days=n) for n in range(last.timetuple().tm_yday)]
    assert planned == whole
    assert last >= dt.date(2026, 11, 2)


def test_a_completed_day_is_never_due_again(engine: sa.Engine) -> None:
    brand(engine, MON)
    now = utc(2026, 1, 6, 12)
    with installation_scope(engine) as connection:
        plan_bill_days(connection, now)
        start_bill_day(connection, "acme", MON, started_at=now)
        complete_bill_day(connection, "acme", MON, completed_at=now, invoices=3)
        assert plan_bill_days(connection, now) == 0
        assert due_bill_days(connection, limit=9).rows() == [("acme", TUE, 1)]
        assert not fail_bill_day(connection, "acme", MON, message="too late")
        with pytest.raises(BillDayClosed):
            start_bill_day(connection, "acme", MON, started_at=now)
        with pytest.raises(BillDayClosed):
            complete_bill_day(connection, "acme", MON, completed_at=now, invoices=3)


def test_a_failed_day_is_due_again_with_the_next_attempt(engine: sa.Engine) -> None:
    brand(engine, MON)
    with installation_scope(engine) as connection:
        plan_bill_days(connection, utc(2026, 1, 5, 12))
        start_bill_day(connection, "acme", MON, started_at=utc(2026, 1, 5, 12))
        assert due_bill_days(connection, tenant_key="acme", limit=9).rows() == [("acme", MON, 1)]

        assert fail_bill_day(connection, "acme", MON, message="disk full")
        assert due_bill_days(connection, limit=9).rows() == [("acme", MON, 2)]
        assert due_bill_days(connection, tenant_key="other", limit=9).is_empty()


def test_a_subscription_back_in_time_adds_no_earlier_bill_day(engine: sa.Engine) -> None:
    brand(engine, TUE)
    with installation_scope(engine) as connection:
        plan_bill_days(connection, utc(2026, 1, 6, 12))
    brand(engine, MON)

    with installation_scope(engine) as connection:
        plan_bill_days(connection, utc(2026, 1, 7, 12))
        due = due_bill_days(connection, limit=9).get_column("bill_day").to_list()

    assert due == [TUE, dt.date(2026, 1, 7)]
