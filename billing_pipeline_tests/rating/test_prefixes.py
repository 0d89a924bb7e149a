"""Longest prefix by intervals."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_pipeline.rating.prefixes import number_key, prefix_index


def longest(prefixes: list[str], numbers: list[str | None]) -> list[str | None]:
    index = prefix_index(
        pl.Series(prefixes, dtype=pl.String), pl.Series(range(len(prefixes)), dtype=pl.UInt32)
    )
    keys = pl.DataFrame({"number": numbers}, schema={"number": pl.String}).select(
        number_key(pl.col("number"))
    )
    rows = index.longest(keys.to_series())
    return [None if row is None else prefixes[row] for row in rows]


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        pytest.param("442071234567", "44", id="country"),
        pytest.param("447700900123", "447", id="longer prefix wins"),
        pytest.param("447799900123", "44779", id="longest prefix wins"),
        pytest.param("447800000000", "447", id="just after a nested prefix"),
        pytest.param("450000000000", None, id="just after the country"),
        pytest.param("43999999999", None, id="just before the country"),
        pytest.param("44", "44", id="number equal to a prefix"),
        pytest.param("440", "44", id="number shorter than what follows"),
        pytest.param("112", "112", id="short code"),
        pytest.param("1120", "1120", id="short code with a longer prefix of the same digits"),
        pytest.param("4477999001234567890", "44779", id="longer than 15 digits"),
        pytest.param("009", "00", id="leading zeros count"),
        pytest.param("+447700900123", None, id="a sign is no digit"),
        pytest.param("-447700900123", None, id="a minus is no digit"),
        pytest.param("44 7700", None, id="a space is no digit"),
        pytest.param("sip:alice", None, id="an address"),
        pytest.param("", None, id="empty"),
        pytest.param(None, None, id="missing"),
    ],
)
def test_the_longest_prefix_is_found(number: str | None, expected: str | None) -> None:
    assert longest(["44", "447", "44779", "112", "1120", "00"], [number]) == [expected]


def test_an_empty_card_matches_nothing() -> None:
    assert longest([], ["447700900123", None]) == [None, None]


def test_an_empty_prefix_takes_every_number_and_nothing_else() -> None:
    assert longest(["", "44"], ["4412", "331", "x", None]) == ["44", "", None, None]


digits = st.text("0129", min_size=1, max_size=6)
long_digits = st.text("0129", min_size=1, max_size=18)


@given(
    prefixes=st.lists(digits, unique=True, max_size=30), numbers=st.lists(long_digits, max_size=30)
)
def test_intervals_agree_with_looking_at_every_prefix(
    prefixes: list[str], numbers: list[str]
) -> None:
    naive = [
        max((prefix for prefix in prefixes if number.startswith(prefix)), key=len, default=None)
        for number in numbers
    ]

    assert longest(prefixes, list(numbers)) == naive
