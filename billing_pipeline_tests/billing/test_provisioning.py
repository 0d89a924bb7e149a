"""What other systems are told of subscriptions: once, and put right when it changes."""

import datetime as dt

import polars as pl
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from billing_pipeline.billing.facts import BillingFacts
from billing_pipeline.billing.provisioning import events_to_emit, subscription_transitions
from billing_pipeline.customers.schema import PROVISIONING_EVENTS
from billing_pipeline_tests.billing.given import (
    LINE,
    Row,
    changes,
    day,
    facts,
    plan,
    subscriptions,
)

PLANS = [plan(trial_days=10), plan([LINE | {"key": "more"}], key="large")]
NOTHING = PROVISIONING_EVENTS.empty()


def known(*of_changes: Row, **terms: object) -> BillingFacts:
    return facts(
        plans=PLANS, of_subscriptions=subscriptions(terms), of_changes=changes(*of_changes)
    )


def told(events: pl.DataFrame) -> list[tuple[object, ...]]:
    return events.select(
        pl.col("effective_on").cast(pl.String), "what", "from_value", "to_value"
    ).rows()


def test_every_change_of_a_life_is_one_event() -> None:
    given = known(
        {"effective_on": day("2024-02-01"), "plan_key": "large"},
        {"effective_on": day("2024-02-10"), "status": "suspended"},
        {"effective_on": day("2024-02-20"), "status": "active", "quantity": 2},
        {"effective_on": day("2024-03-05"), "status": "cancelled"},
    )

    assert told(subscription_transitions(given, day("2024-12-31"))) == [
        ("2024-01-01", "status", None, "trial"),
        ("2024-01-11", "status", "trial", "active"),
        ("2024-02-01", "plan", "basic", "large"),
        ("2024-02-10", "status", "active", "suspended"),
        ("2024-02-20", "quantity", "1", "2"),
        ("2024-02-20", "status", "suspended", "active"),
        ("2024-03-05", "status", "active", "cancelled"),
    ]


def test_what_lies_ahead_is_not_told_yet() -> None:
    ahead = known({"effective_on": day("2024-06-01"), "status": "cancelled"})

    assert told(subscription_transitions(ahead, day("2024-01-11"))) == [
        ("2024-01-01", "status", None, "trial"),
        ("2024-01-11", "status", "trial", "active"),
    ]


def test_a_cancellation_that_is_taken_back_is_put_right() -> None:
    before = known({"effective_on": day("2024-02-01"), "status": "cancelled"})
    emitted = subscription_transitions(before, day("2024-02-02"))

    put_right = events_to_emit(
        subscription_transitions(known(), day("2024-02-05")), emitted, day("2024-02-05")
    )

    assert told(put_right) == [("2024-02-05", "status", "cancelled", "active")]


def test_a_subscription_that_is_gone_is_cancelled() -> None:
    emitted = subscription_transitions(known(), day("2024-02-02"))

    assert told(events_to_emit(NOTHING, emitted, day("2024-02-05"))) == [
        ("2024-02-05", "status", "active", "cancelled")
    ]


DAYS = st.integers(0, 60).map(lambda number: dt.date(2024, 1, 1) + dt.timedelta(days=number))
CHANGES = st.lists(
    st.fixed_dictionaries(
        {
            "effective_on": DAYS,
            "plan_key": st.sampled_from([None, "basic", "large"]),
            "status": st.sampled_from([None, "active", "suspended", "cancelled"]),
        }
    ),
    max_size=4,
    unique_by=lambda change: change["effective_on"],
)


@settings(max_examples=25, deadline=None)
@for_all(history=st.lists(CHANGES, min_size=1, max_size=4), through=st.lists(DAYS, min_size=4))
def test_the_last_event_says_what_holds_however_facts_changed(
    history: list[list[Row]], through: list[dt.date]
) -> None:
    emitted = NOTHING
    for of_changes, last_day in zip(history, sorted(through), strict=False):
        holds = subscription_transitions(known(*of_changes), last_day)
        emitted = pl.concat([emitted, events_to_emit(holds, emitted, last_day)])

        thing = ["subscription_key", "what"]
        said = emitted.group_by(thing, maintain_order=True).last().select(*thing, "to_value")
        is_so = holds.group_by(thing, maintain_order=True).last().select(*thing, "to_value")
        assert is_so.join(said, on=[*thing, "to_value"], how="anti").is_empty()
        assert events_to_emit(holds, emitted, last_day).is_empty()
