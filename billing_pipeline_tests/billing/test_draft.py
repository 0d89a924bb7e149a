"""The next bill as it stands, and what a preview says of a bill day."""

from decimal import Decimal

import polars as pl
import pytest

from billing_pipeline.billing.draft import (
    drafted_bills,
    expected_bill_alerts,
    included_unit_alerts,
    usage_alerts,
)
from billing_pipeline.billing.included_use import included_use
from billing_pipeline.billing.preview import previewed_accounts
from billing_pipeline.billing.reconcile import reconcile
from billing_pipeline.billing.review import review
from billing_pipeline.billing.schema import HELD_ACCOUNTS
from billing_pipeline.customers.policies import BillingPolicy
from billing_pipeline.vocabulary.money import AMOUNT
from billing_pipeline_tests.billing.given import (
    LINE,
    MINUTES,
    NOTHING_POSTED,
    call,
    charges_of,
    day,
    facts,
    frame,
    plan,
    rated,
    run,
)

HOURS_10 = rated(call("2024-01-05T15:00", 36_000))
DUE = pl.DataFrame({"account_key": ["a1"], "due_on": [day("2024-02-01")]})
CURRENCY = pl.DataFrame({"account_key": ["a1"], "currency": ["USD"]})


@pytest.mark.parametrize(
    ("floor", "amount", "expected"),
    [
        # Fees 20 for January and 20 for February in advance; 600 minutes at 0.05 are 30.00 in ten
        # of 31 days: 93.00 if it goes on.
        pytest.param(None, "70", "133", id="usage goes on as it did"),
        pytest.param("50", "90", "133", id="what comes eats up the top-up to the minimum"),
        pytest.param("200", "240", "240", id="below the minimum nothing changes"),
    ],
)
def test_a_draft_is_the_next_bill_and_what_to_expect_of_it(
    floor: str | None, amount: str, expected: str
) -> None:
    terms = {"minimum_fee": {"key": "floor", "product": "floor", "amount": floor}} if floor else {}
    given = facts(plans=[plan([LINE, MINUTES], **terms)], usage=HOURS_10)
    unposted = reconcile(charges_of(given, "2024-02-01"), NOTHING_POSTED)

    drafts = drafted_bills(unposted, DUE, CURRENCY, day("2024-01-10"))

    columns = ["usage_amount", "amount", "expected"]
    assert drafts.select(columns).rows() == [(Decimal(30), Decimal(amount), Decimal(expected))]
    assert usage_alerts(drafts, [Decimal(25), Decimal(30), Decimal(50)])["threshold"].to_list() == [
        Decimal(25),
        Decimal(30),
    ]


def test_an_account_with_nothing_to_bill_has_a_draft_of_nothing() -> None:
    drafts = drafted_bills(
        reconcile(NOTHING_POSTED, NOTHING_POSTED), DUE, CURRENCY, day("2024-01-10")
    )

    assert drafts.select("charges", "expected").rows() == [(0, Decimal(0))]


def amounts_of(name: str, amounts: dict[str, int]) -> pl.DataFrame:
    exact = pl.Series(name, [Decimal(amount) for amount in amounts.values()], dtype=AMOUNT)
    return pl.DataFrame([pl.Series("account_key", list(amounts)), exact])


def test_a_preview_shows_what_waits_first_then_the_largest_change() -> None:
    one = reconcile(charges_of(facts(), "2024-01-01"), NOTHING_POSTED)
    of_many = pl.concat(
        one.with_columns(
            account_key=pl.lit(key),
            charge_key=pl.format("{}/{}", pl.lit(key), "charge_key"),
            difference=pl.lit(Decimal(amount)).cast(AMOUNT),
        )
        for key, amount in [("same", 20), ("more", 60), ("held", 5), ("new", 7)]
    )
    held = frame(HELD_ACCOUNTS, {}, [{"account_key": "held", "bound": "jump", "message": "!"}])
    judged = review(of_many, held, pl.Series([], dtype=pl.String), BillingPolicy())
    last = amounts_of("last_amount", {"same": 20, "more": 20, "held": 1})
    before = amounts_of("amount", {"same": 19, "gone": 3})

    shown = previewed_accounts(judged, last, before)

    columns = ["account_key", "way", "change_percent", "since_preview"]
    assert shown.select(columns).rows() == [
        ("held", "held", 400, None),
        ("more", "post", 200, None),
        ("same", "post", 0, Decimal(1)),
        ("new", "post", None, None),
        ("gone", "post", None, Decimal(-3)),
    ]


def test_what_was_posted_is_no_part_of_the_draft() -> None:
    given = facts(plans=[plan([LINE, MINUTES])], usage=HOURS_10)
    posted = run(given, NOTHING_POSTED, day("2024-01-01"))

    unposted = reconcile(charges_of(given, "2024-02-01"), posted)

    drafts = drafted_bills(unposted, DUE, CURRENCY, day("2024-01-31"))
    assert drafts.select("amount", "expected").rows() == [(Decimal(50), Decimal(50))]


def test_an_expected_bill_that_reaches_an_amount_is_announced() -> None:
    """10 hours by 10 January are 30.00; a month of it 93.00, with the fee 113.00."""
    given = facts(plans=[plan([LINE, MINUTES])], usage=HOURS_10)
    unposted = reconcile(charges_of(given, "2024-02-01"), NOTHING_POSTED)
    drafts = drafted_bills(unposted, DUE, CURRENCY, day("2024-01-10"))
    expected = drafts["expected"][0]

    alerts = expected_bill_alerts(drafts, [Decimal(50), expected, expected + 1])

    assert alerts.select("kind", "subject", "threshold", "unit").rows() == [
        ("expected_bill", "a1", Decimal(50), "USD"),
        ("expected_bill", "a1", expected, "USD"),
    ]


@pytest.mark.parametrize(
    ("pool", "today", "reached"),
    [
        pytest.param({}, "2024-02-10", "120", id="600 of 500 minutes in February"),
        pytest.param({"rollover_periods": 1}, "2024-02-10", "60", id="500 came from January"),
        pytest.param({"shared_by": "account"}, "2024-02-10", "120", id="a shared pool"),
        pytest.param({}, "2024-02-04", "0", id="before the calls"),
    ],
)
def test_included_units_are_announced_by_the_share_that_is_used(
    pool: dict[str, object], today: str, reached: str
) -> None:
    free = {"key": "free", "units": 500, "prices": ["minutes"], **pool}
    given = facts(
        plans=[plan([MINUTES], included_units=[free])],
        usage=rated(call("2024-02-05T15:00", 36_000)),
    )
    due = pl.DataFrame({"account_key": ["a1"], "due_on": [day("2024-03-01")]})

    use = included_use(given, due["account_key"], day(today))
    alerts = included_unit_alerts(use, due, [Decimal(50), Decimal(100)])

    subject = "free" if "shared_by" in pool else "s1 free"
    thresholds = [one for one in (50, 100) if Decimal(reached) >= one]
    assert alerts.select("kind", "subject", "threshold", "reached").rows() == [
        ("included_units", subject, Decimal(one), Decimal(reached)) for one in thresholds
    ]


def test_plans_without_included_units_announce_none() -> None:
    use = included_use(facts(), pl.Series("account_key", ["a1"]), day("2024-01-10"))

    assert use.is_empty()
