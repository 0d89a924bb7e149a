"""Controls that are lists and settings: what is charged twice, what packages and tenants add."""

import datetime as dt

import polars as pl
import pytest

from billing_pipeline.assurance.checks_of_books import CHECKS
from billing_pipeline.assurance.controls import charges_not_twice
from billing_pipeline.assurance.findings import all_findings, is_blocked
from billing_pipeline.assurance.run import wanted_controls
from billing_pipeline.books.sql_files import sql_folder
from billing_pipeline.customers.policies import ControlSetting


def periods(*spans: tuple[str, str]) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "charge_key": [f"sub/fee/recurring/{start}" for start, _ in spans],
            "account_key": "10001",
            "subscription_key": "sub",
            "price_key": "fee",
            "charge_kind": "recurring",
            "service_from": [dt.date.fromisoformat(start) for start, _ in spans],
            "service_until": [dt.date.fromisoformat(end) for _, end in spans],
        }
    )


MONTHS = (("2026-01-01", "2026-02-01"), ("2026-02-01", "2026-03-01"))


def test_months_that_follow_each_other_are_charged_once() -> None:
    assert charges_not_twice(periods(*MONTHS)).rows() == []


@pytest.mark.parametrize(
    ("charges", "subject"),
    [
        pytest.param(
            pl.concat([periods(*MONTHS), periods(MONTHS[0])]),
            "sub/fee/recurring/2026-01-01",
            id="a charge computed twice",
        ),
        pytest.param(
            periods(*MONTHS, ("2026-02-28", "2026-03-28")),
            "sub/fee/recurring/2026-02-28",
            id="a day charged twice",
        ),
    ],
)
def test_what_is_charged_twice_is_found(charges: pl.DataFrame, subject: str) -> None:
    found = charges_not_twice(charges)

    assert found.get_column("subject").to_list() == [subject]
    assert is_blocked(found)


def test_findings_of_all_controls_stand_in_one_frame_and_nothing_found_blocks_nothing() -> None:
    assert all_findings([]).is_empty()
    assert not is_blocked(all_findings([]))


def test_every_query_over_the_books_is_a_control_with_an_owner() -> None:
    files = {file.stem for file in (sql_folder() / "checks").glob("*.sql")}

    assert {check.name for check in CHECKS} == files


def test_a_tenant_sets_a_query_over_the_books_like_any_other_control() -> None:
    wanted = wanted_controls({"handoffs_follow": ControlSetting(severity="warn", owner="audit")})

    assert (wanted["handoffs_follow"].severity, wanted["handoffs_follow"].owner) == (
        "warn",
        "audit",
    )
