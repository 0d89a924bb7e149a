import datetime as dt
from decimal import Decimal

import pytest

from billing_pipeline.documents.formats import LocaleUnknown, formats


def plain(text: str) -> str:
    """Without the narrow and unbreakable blanks of some locales."""
    return text.replace("\xa0", " ").replace("\u202f", " ")


@pytest.mark.parametrize(
    ("locale", "money", "figure"),
    [
        ("en_US", "$1,234.50", "1,234.50"),
        ("de_DE", "1.234,50 $", "1.234,50"),
        ("fr_FR", "1 234,50 $US", "1 234,50"),
        ("de_CH", "$ 1’234.50", "1’234.50"),  # noqa: RUF001 - Swiss thousands
        ("en_IN", "$1,234.50", "1,234.50"),
    ],
)
def test_money_is_written_as_the_reader_writes_it(locale: str, money: str, figure: str) -> None:
    assert plain(formats(locale).money(123450, "USD")) == money
    assert plain(formats(locale).figure(123450, "USD")) == figure


@pytest.mark.parametrize(
    ("currency", "expected"), [("EUR", "-0.05"), ("JPY", "-5"), ("KWD", "-0.005")]
)
def test_a_figure_has_the_decimals_of_its_currency(currency: str, expected: str) -> None:
    assert formats("en_GB").figure(-5, currency) == expected


@pytest.mark.parametrize(
    ("price", "expected"),
    [("0.0000713", "0.0000713"), ("20", "20.00"), ("0.015", "0.015"), ("1234.5", "1,234.50")],
)
def test_a_unit_price_is_not_rounded(price: str, expected: str) -> None:
    assert formats("en_GB").price(Decimal(price), "EUR") == expected


@pytest.mark.parametrize(
    ("locale", "quantity", "unit", "expected"),
    [
        ("de_DE", "1", "month", "1 Monat"),
        ("de_DE", "2", "month", "2 Monate"),
        ("en_US", "5821.51234", "min", "5,821.51234 min"),
        ("pl_PL", "5", "month", "5 miesięcy"),
        ("fr_FR", "2.5", "GB", "2,5 Go"),
        ("en_GB", "3", "seats", "3 seats"),
        ("en_GB", "3", "", "3"),
    ],
)
def test_units_are_in_the_readers_language_with_all_their_decimals(
    locale: str, quantity: str, unit: str, expected: str
) -> None:
    assert plain(formats(locale).measure(Decimal(quantity), unit)) == expected


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (dt.date(2026, 2, 1), "1 Feb 2026"),
        (dt.date(2026, 2, 28), "1–28 Feb 2026"),  # noqa: RUF001 - a span has a dash
        (dt.date(2027, 1, 31), "1 Feb 2026 – 31 Jan 2027"),  # noqa: RUF001 - a span has a dash
    ],
)
def test_a_period_says_no_more_than_it_must(last: dt.date, expected: str) -> None:
    written = formats("en_GB").period(dt.date(2026, 2, 1), last)

    assert plain(written).replace("\u2009", " ") == expected


def test_an_iban_is_printed_in_groups_of_four() -> None:
    assert formats("de_DE").iban("DE89370400440532013000") == "DE89 3704 0044 0532 0130 00"


def test_a_language_that_is_none_is_refused() -> None:
    with pytest.raises(LocaleUnknown, match="xx_nowhere"):
        formats("xx_nowhere")


@pytest.mark.parametrize(
    ("locale", "quantity", "unit", "printed"),
    [
        ("en_GB", "24", "seat", "24 seats"),
        ("en_GB", "1", "seat", "1 seat"),
        ("de_DE", "24", "seat", "24 Plätze"),
        ("fr_FR", "0", "seat", "0 poste"),
        ("en_US", "3", "piece", "3"),
        ("de_DE", "3", "Container", "3 Container"),
    ],
)
def test_units_are_words_of_the_readers_language(
    locale: str, quantity: str, unit: str, printed: str
) -> None:
    assert formats(locale).measure(Decimal(quantity), unit) == printed
