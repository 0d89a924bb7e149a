import datetime as dt
from decimal import Decimal

import polars as pl

from billing_pipeline.assurance.suspense_value import (
    Waiting,
    average_values,
    suspense_findings,
    with_estimated_value,
)
from billing_pipeline.customers.policies import SuspensePolicy
from billing_pipeline.vocabulary.money import AMOUNT, QUANTITY

NOW = dt.datetime(2026, 2, 10, 12, tzinfo=dt.UTC)
RATED = pl.DataFrame(
    schema={
        "feed_key": pl.String,
        "usage_type": pl.String,
        "currency": pl.String,
        "events": pl.Int64,
        "quantity": QUANTITY,
        "amount": AMOUNT,
    }
).schema


def rated(*rows: tuple[str, str, str, int, int, str]) -> pl.DataFrame:
    exact = [(*row[:4], Decimal(row[4]), Decimal(row[5])) for row in rows]
    return pl.DataFrame(exact, schema=RATED, orient="row")


def records(*rows: tuple[str, int | None]) -> pl.DataFrame:
    exact = [(feed, None if of is None else Decimal(of)) for feed, of in rows]
    return pl.DataFrame(exact, schema={"feed_key": pl.String, "quantity": QUANTITY}, orient="row")


def values(waiting: pl.DataFrame, sums: pl.DataFrame) -> list[tuple[Decimal | None, str | None]]:
    found = with_estimated_value(waiting, average_values(sums))
    return found.select("estimated_value", "currency").rows()


def test_a_record_is_worth_its_quantity_at_the_average_of_its_feed() -> None:
    # 10 calls of 1,000 s brought 20.00: 0.02 a second, 2.00 a call.
    sums = rated(("calls", "voice", "EUR", 10, 1000, "20"))

    assert values(records(("calls", 300), ("calls", None)), sums) == [
        (Decimal(6), "EUR"),
        (Decimal(2), "EUR"),
    ]


def test_seconds_and_messages_are_not_added_up() -> None:
    # 10 calls for 20.00 and 10 messages for 1.00: 21.00 / 20 = 1.05 an event.
    sums = rated(
        ("mobile", "voice", "EUR", 10, 1000, "20"), ("mobile", "message", "EUR", 10, 10, "1")
    )

    assert values(records(("mobile", 300)), sums) == [(Decimal("1.05"), "EUR")]


def test_a_feed_that_brought_nothing_says_nothing() -> None:
    assert values(records(("new", 300)), rated()) == [(None, None)]


def test_of_several_currencies_the_usual_one_is_the_measure() -> None:
    sums = rated(("calls", "voice", "GBP", 1, 10, "90"), ("calls", "voice", "EUR", 9, 90, "9"))

    assert values(records(("calls", 20)), sums) == [(Decimal(2), "EUR")]


def waiting(days: int = 3, value: str = "5", rated_amount: str = "1000") -> dict[str, Waiting]:
    seen = NOW - dt.timedelta(days=days)
    return {"acme": Waiting(4, seen, Decimal(value), 0, Decimal(rated_amount), "EUR")}


def messages(there: dict[str, Waiting], policy: SuspensePolicy) -> list[str]:
    return suspense_findings(there, {"acme": policy}, NOW)["message"].to_list()


def test_young_and_small_suspense_asks_nobody() -> None:
    # 1 % of 1,000.00 is 10.00.
    assert messages(waiting(days=7, value="10"), SuspensePolicy()) == []


def test_old_suspense_asks_for_a_person_and_says_what_to_do() -> None:
    (message,) = messages(waiting(days=8), SuspensePolicy())

    assert message.startswith("the oldest of 4 records has waited 8 days, more than 7.")
    assert "billing suspense list" in message


def test_old_and_much_is_one_finding_of_its_tenant() -> None:
    (message,) = messages(waiting(days=8, value="10.01"), SuspensePolicy())

    assert message.startswith(
        "the oldest of 4 records has waited 8 days, more than 7; "
        "4 records are worth about 10.01 EUR, more than 10.00. Look with"
    )


def test_much_in_suspense_is_measured_by_share_or_by_a_fixed_amount() -> None:
    (by_share,) = messages(waiting(value="10.01"), SuspensePolicy())
    (fixed,) = messages(waiting(value="5"), SuspensePolicy(warn_above=Decimal(4)))

    assert by_share.startswith("4 records are worth about 10.01 EUR, more than 10.00.")
    assert fixed.startswith("4 records are worth about 5.00 EUR, more than 4.00.")
