"""How figures and dates are written for a reader, in the customer's locale."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, cached_property
from typing import Literal

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_interval
from babel.numbers import (
    format_currency,
    format_decimal,
    format_percent,
    get_decimal_symbol,
)
from babel.units import format_unit

from billing_pipeline.documents.labels import unit_words
from billing_pipeline.vocabulary.money import from_minor_units, minor_exponent

_UNIT_PRICE_DECIMALS = 10


_QUANTITY = "#,##0.##########"
_UNITS: dict[str, tuple[str, Literal["short", "long"]]] = {
    "s": ("duration-second", "short"),
    "min": ("duration-minute", "short"),
    "h": ("duration-hour", "short"),
    "hour": ("duration-hour", "long"),
    "day": ("duration-day", "long"),
    "week": ("duration-week", "long"),
    "month": ("duration-month", "long"),
    "year": ("duration-year", "long"),
    "mb": ("digital-megabyte", "short"),
    "gb": ("digital-gigabyte", "short"),
    "tb": ("digital-terabyte", "short"),
    "kwh": ("energy-kilowatt-hour", "short"),
}


class LocaleUnknown(Exception):
    """A customer's language is not a locale such as en_GB."""


@dataclass(frozen=True)
class Formats:
    """Writes values for one locale. Amounts are exact; nothing is rounded but unit prices."""

    name: str

    @cached_property
    def _locale(self) -> Locale:
        try:
            return Locale.parse(self.name.replace("-", "_"))
        except (ValueError, UnknownLocaleError) as error:
            raise LocaleUnknown(f"{self.name!r} is not a locale such as en_GB") from error

    @property
    def language_tag(self) -> str:
        """BCP 47 tag, e.g. `de-AT`."""
        return str(self._locale).replace("_", "-")

    @property
    def decimal_mark(self) -> str:
        """The sign between whole and fraction."""
        return get_decimal_symbol(self._locale)

    def money(self, amount_minor: int, currency: str) -> str:
        """An amount with its currency sign."""
        amount = from_minor_units(amount_minor, currency)
        return format_currency(amount, currency, locale=self._locale, currency_digits=True)

    def figure(self, amount_minor: int, currency: str) -> str:
        """An amount for a column of figures: no currency sign, the currency's decimals."""
        pattern = _figure_pattern(minor_exponent(currency))
        return format_decimal(
            from_minor_units(amount_minor, currency), pattern, locale=self._locale
        )

    def price(self, amount: Decimal, currency: str) -> str:
        """A unit price: at least the currency's decimals, more where the price has them."""
        digits = minor_exponent(currency)
        pattern = "#,##0." + "0" * digits + "#" * (_UNIT_PRICE_DECIMALS - digits)
        return format_decimal(amount, pattern, locale=self._locale)

    def quantity(self, quantity: Decimal) -> str:
        """A quantity with the decimals it has."""
        return format_decimal(quantity, _QUANTITY, locale=self._locale)

    def rounded(self, quantity: Decimal) -> str:
        """A quantity for an overview: two decimals at most."""
        return format_decimal(quantity, "#,##0.##", locale=self._locale)

    def measure(self, quantity: Decimal, unit: str) -> str:
        """A quantity with its unit in the reader's language; units CLDR lacks stay as they are."""
        known = _UNITS.get(unit.strip().lower())
        if known is None:
            return f"{self.quantity(quantity)} {self.unit_word(quantity, unit)}".rstrip()
        name, length = known
        return format_unit(quantity, name, length, _QUANTITY, locale=self._locale)

    def unit_word(self, quantity: Decimal, unit: str) -> str:
        """A unit that CLDR lacks in the reader's language, as the quantity asks for it."""
        forms = unit_words().get(unit.strip().lower(), {})
        words = forms.get(self._locale.language)
        if words is None:
            return unit
        return words[0 if self._locale.plural_form(quantity) == "one" else 1]

    def percent(self, rate: Decimal) -> str:
        """A rate given in per cent."""
        return format_percent(rate / 100, "#,##0.####%", locale=self._locale)

    def country(self, code: str) -> str:
        """The name of a country."""
        return str(self._locale.territories.get(code, code))

    def iban(self, iban: str) -> str:
        """An IBAN in groups of four, as it is printed."""
        plain = iban.replace(" ", "")
        return " ".join(plain[start : start + 4] for start in range(0, len(plain), 4))

    def date(self, day: dt.date) -> str:
        """A day, e.g. 1 Mar 2026."""
        return format_date(day, "medium", locale=self._locale)

    def period(self, first: dt.date, last: dt.date) -> str:
        """A span of days, both ends included."""
        if first == last:
            return self.date(first)
        return str(format_interval(first, last, "yMMMd", locale=self._locale))


@cache
def formats(locale: str) -> Formats:
    """The formats of a locale. Raises: LocaleUnknown."""
    made = Formats(locale)
    _ = made.language_tag
    return made


def _figure_pattern(digits: int) -> str:
    return "#,##0." + "0" * digits if digits else "#,##0"
