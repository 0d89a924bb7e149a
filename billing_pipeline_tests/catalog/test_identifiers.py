"""Service identifiers that would leave an owner in doubt are refused by file and row."""

import datetime as dt

import polars as pl
import pytest

from billing_pipeline.catalog.check_identifiers import check_service_identifiers
from billing_pipeline.customers.schema import SERVICE_IDENTIFIERS
from billing_pipeline.vocabulary.problems import ROW

JANUARY = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
JUNE = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)


def row(identifier: str, match: str = "exact", **changes: object) -> dict[str, object]:
    plain: dict[str, object] = {
        "identifier": identifier,
        "subscription_key": "S",
        "valid_from": JANUARY,
        "match": match,
        "status": "assigned",
    }
    return plain | changes


def free(
    identifier: str, status: str, match: str = "exact", **changes: object
) -> dict[str, object]:
    return row(identifier, match, status=status, subscription_key=None, **changes)


def mistakes(*rows: dict[str, object]) -> list[str]:
    frame = pl.DataFrame(list(rows), schema=SERVICE_IDENTIFIERS.polars_schema)
    numbered = frame.with_row_index(ROW, 2).cast({ROW: pl.Int64})
    known = pl.DataFrame({"subscription_key": ["S"]})
    return [
        str(problem).removeprefix("service_identifiers.csv ")
        for problem in check_service_identifiers(numbered, known)
    ]


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([row("100-199", "range"), row("142")], id="one of a range"),
        pytest.param([row("100-199", "range"), row("140-149", "range")], id="a range in a range"),
        pytest.param([row("1", "prefix"), row("100-199", "range")], id="a range in a prefix"),
        pytest.param([row("4", "prefix"), row("44", "prefix")], id="a prefix in a prefix"),
        pytest.param(
            [row("100-199", "range", valid_until=JUNE), row("150-250", "range", valid_from=JUNE)],
            id="one after the other",
        ),
        pytest.param([free("100-199", "in_stock", "range"), row("142")], id="out of stock"),
        pytest.param(
            [free("142", "quarantined", valid_until=JUNE), row("142", valid_from=JUNE)],
            id="after its rest",
        ),
        pytest.param([row("100-199", "range"), free("142", "ported_out")], id="one ported out"),
    ],
)
def test_what_leaves_no_doubt_is_taken(rows: list[dict[str, object]]) -> None:
    assert mistakes(*rows) == []


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param(
            [row("100-199", "range"), row("150-250", "range")],
            "row 3 field identifier: overlaps 100-199 of row 2, and neither lies inside the other;"
            " divide one of them",
            id="ranges that cross",
        ),
        pytest.param(
            [row("10.0.0.0/24", "range"), row("10.0.0.0-10.0.0.255", "range")],
            "row 3 field identifier: covers the same as 10.0.0.0/24 of row 2 at the same time",
            id="one range written twice",
        ),
        pytest.param(
            [row("100-199", "range"), row("15", "prefix")],
            "row 3 field identifier: lies inside the range 100-199 of row 2; write it as a range"
            " too, so that the narrower one is plain",
            id="a prefix in a range",
        ),
        pytest.param(
            [row("142"), row("142")],
            "row 3 field identifier: 142 belongs to the subscription of row 2 at the same time;"
            " end that row with valid_until",
            id="assigned twice",
        ),
        pytest.param(
            [free("142", "quarantined"), row("142", valid_from=JUNE)],
            "row 3 field identifier: 142 is quarantined by row 2 at the same time; end that row"
            " with valid_until",
            id="assigned in quarantine",
        ),
        pytest.param(
            [free("100-199", "quarantined", "range"), row("142", valid_from=JUNE)],
            "row 3 field identifier: is assigned, but 100-199 of row 2 has it quarantined at the"
            " same time; end that row first",
            id="assigned in a range in quarantine",
        ),
        pytest.param(
            [row("142", subscription_key=None)],
            "row 2 field subscription_key: is empty; every assigned identifier needs one, or a"
            " status such as in_stock",
            id="assigned to nobody",
        ),
        pytest.param(
            [row("142", status="in_stock")],
            "row 2 field subscription_key: is in_stock, so nobody owns it; leave the subscription"
            " empty",
            id="in stock and owned",
        ),
        pytest.param(
            [free("142", "in_stock", valid_from=None)],
            "row 2 field valid_from: is empty; without a subscription the row itself must say"
            " since when",
            id="in stock since when",
        ),
        pytest.param(
            [row("100-99", "range")],
            "row 2 field identifier: '100-99' is no range; write first-last in equal digits, as"
            " 18005550100-18005550199, or a network, as 10.0.0.0/24",
            id="no range",
        ),
        pytest.param(
            [row("142", "regex")],
            "row 2 field match: 'regex' is none of exact, prefix, range",
            id="no match",
        ),
        pytest.param(
            [free("142", "lost")],
            "row 2 field status: 'lost' is none of in_stock, assigned, ported_out, quarantined",
            id="no state",
        ),
    ],
)
def test_what_leaves_an_owner_in_doubt_is_refused(
    rows: list[dict[str, object]], expected: str
) -> None:
    assert mistakes(*rows) == [expected]
