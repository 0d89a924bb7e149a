"""Shared and rolled-over units: what is charged stays within what the pool can have paid."""

from dataclasses import replace
from decimal import Decimal

import polars as pl
import pytest

from billing_pipeline.assurance.shared_pools import shared_units_kept
from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.plans import Plan
from billing_pipeline.customers.schema import ACCOUNTS
from billing_pipeline_tests.assurance.given import (
    CATALOG,
    FEBRUARY,
    JANUARY,
    charge,
    subscription,
    used,
)

NOBODY = pl.Series("subscription_key", [], dtype=pl.String)
TWO = pl.concat([subscription("S1", "pooled"), subscription("S2", "pooled")])


def catalog(**pool: object) -> Catalog:
    """Two lines of one account on a plan of 100 minutes that they share."""
    bundle = CATALOG.plan_by_key["bundle"]
    free = {"key": "pool", "units": 100, "prices": ["bundled"], **pool}
    pooled = Plan.model_validate({**bundle.model_dump(), "key": "pooled", "included_units": [free]})
    return replace(CATALOG, plans=(pooled,))


def usage(first: int, second: int) -> pl.DataFrame:
    """Minutes of S1 and of S2 in January."""
    own = used((JANUARY, first, "0"), price="bundled")
    other = used((JANUARY, second, "0"), price="bundled")
    return pl.concat([own, other.with_columns(subscription_key=pl.lit("S2"))])


def charges(first: str, second: str) -> pl.DataFrame:
    return pl.concat(
        [
            charge("usage", "bundled", quantity=Decimal(first)),
            charge("usage", "bundled", quantity=Decimal(second), subscription_key="S2"),
        ]
    )


@pytest.mark.parametrize(
    ("pool", "charged", "wrong"),
    [
        # 150 and 130 minutes are used, 280 together.
        pytest.param({"shared_by": "account"}, ("30", "50"), 0, id="2 x 100 are free"),
        pytest.param({"shared_by": "account"}, ("30", "51"), 1, id="a minute too many"),
        pytest.param({"shared_by": "account"}, ("30", "49"), 1, id="a minute too few"),
        pytest.param({"shared_by": "account", "counted": "once"}, ("80", "100"), 0, id="once"),
        pytest.param({"shared_by": "account", "counted": "once"}, ("30", "50"), 1, id="twice"),
        pytest.param({"shared_by": "account_tree"}, ("30", "50"), 0, id="a tree of one"),
        pytest.param({"rollover_periods": 1}, ("0", "30"), 0, id="50 came from December"),
        pytest.param({"rollover_periods": 1}, ("51", "30"), 1, id="not even January's own"),
        pytest.param(
            {"rollover_periods": 1, "shared_by": "account"}, ("0", "0"), 0, id="all from December"
        ),
        pytest.param({"proration": "actual_days"}, ("60", "40"), 0, id="a part, if it was short"),
        pytest.param({"proration": "actual_days"}, ("49", "30"), 1, id="more than the whole"),
    ],
)
def test_a_pool_pays_what_it_has_and_no_more(
    pool: dict[str, object], charged: tuple[str, str], wrong: int
) -> None:
    found = shared_units_kept(
        charges(*charged), usage(150, 130), TWO, NOBODY, ACCOUNTS.empty(), catalog(**pool)
    )

    assert found.height == wrong
    assert set(found["account_key"]) == ({"A1"} if wrong else set())


def test_a_pool_is_not_judged_while_one_of_its_users_is_not_charged() -> None:
    only_one = charges("0", "0").filter(pl.col("subscription_key") == "S1")

    found = shared_units_kept(
        only_one, usage(150, 130), TWO, NOBODY, ACCOUNTS.empty(), catalog(shared_by="account")
    )

    assert found.is_empty()


@pytest.mark.parametrize("swapped", ["S1", "S2"])
def test_a_pool_is_not_judged_where_somebody_left_its_plan(swapped: str) -> None:
    left = pl.Series("subscription_key", [swapped])

    found = shared_units_kept(
        charges("0", "0"),
        usage(150, 130),
        TWO,
        left,
        ACCOUNTS.empty(),
        catalog(shared_by="account"),
    )

    assert found.is_empty()


def test_units_of_a_line_that_ended_count_to_the_most_only() -> None:
    """The second line left on 1 February: for January it gave its 100 units."""
    ended = pl.concat(
        [subscription("S1", "pooled"), subscription("S2", "pooled", ended_on=FEBRUARY)]
    )
    of_account = catalog(shared_by="account")

    kept = shared_units_kept(
        charges("30", "50"), usage(150, 130), ended, NOBODY, ACCOUNTS.empty(), of_account
    )

    assert kept.is_empty()
