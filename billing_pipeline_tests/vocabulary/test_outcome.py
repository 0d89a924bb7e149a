from decimal import Decimal

import polars as pl
import pytest

from billing_pipeline.vocabulary.money import QUANTITY
from billing_pipeline.vocabulary.outcome import (
    NotConserved,
    Outcome,
    assert_conserved,
    split_by_reason,
)


def records(*quantities: int) -> pl.DataFrame:
    return pl.DataFrame(
        {"quantity": [Decimal(q) for q in quantities]}, schema={"quantity": QUANTITY}
    )


def test_every_row_is_on_exactly_one_side_of_the_door() -> None:
    reason = pl.when(pl.col("quantity") > 1).then(pl.lit("too_many"))

    accepted, suspended = split_by_reason(records(1, 2, 3), reason)

    assert accepted["quantity"].to_list() == [1]
    assert suspended.rows() == [(Decimal(2), "too_many"), (Decimal(3), "too_many")]


def test_a_balanced_outcome_passes() -> None:
    outcome = Outcome(records(1), records(2), records(), records(3))

    assert_conserved("stage", records(1, 2, 3), outcome, "quantity")
    assert sum(part.height for part in outcome) == 3


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        pytest.param(
            Outcome(records(1), records(2), records(), records()),
            "3 records in, .*'suspended': 1",
            id="lost",
        ),
        pytest.param(
            Outcome(records(1, 2), records(4), records(), records()), "6", id="quantity changed"
        ),
    ],
)
def test_a_lost_record_or_unit_stops_the_stage(outcome: Outcome, words: str) -> None:
    with pytest.raises(NotConserved, match=words):
        assert_conserved("stage", records(1, 2, 3), outcome, "quantity")
