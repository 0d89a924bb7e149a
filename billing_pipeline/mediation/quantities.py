"""Numbers and durations of usage records: declared locale and form, to exact decimals.

Anything of another shape is null and so goes to suspense; nothing is guessed.
"""

from decimal import Decimal

import polars as pl

from billing_pipeline.catalog.feed_fields import DecimalField, DurationField, IntegerField
from billing_pipeline.vocabulary.money import QUANTITY

NumberField = DecimalField | DurationField | IntegerField

WIDEST = Decimal(10) ** 20
"""Numbers beyond this are no quantity; every unsigned 64-bit counter is below it."""

_WIDE = pl.Decimal(38, 16)
_PER_SECOND = {"milliseconds": Decimal(1000), "microseconds": Decimal(1_000_000)}
_CLOCK = r"^(?:(?:(\d{1,4})[:.d ])?(\d{1,4}):)?(\d{1,4}):(\d{1,2}(?:\.\d{1,9})?)$"
_SUFFIXED = r"^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?(?:(\d+)ms)?$"


def first_reading(text: pl.Expr, field: NumberField) -> pl.Expr:
    """Exact numbers of the usual shape, cheaply; null for every other shape.

    Shape: row by row.
    """
    if isinstance(field, DecimalField):
        return _bounded(_rounded(_plain(text, field)))
    if isinstance(field, DurationField) and field.format != "seconds":
        return _duration(text, field)
    return _bounded(text.cast(pl.Int64, strict=False).cast(QUANTITY))


def second_reading(text: pl.Expr, field: NumberField) -> pl.Expr:
    """The rarer shapes: fractions of seconds, counters too wide for 64 bits, trailing signs.

    Shape: row by row; null where the text is no number of the declared form.
    """
    if isinstance(field, IntegerField):
        wide = pl.when(text.str.contains(r"^[+-]?\d{1,28}$")).then(text)
        return _bounded(wide.cast(QUANTITY, strict=False))
    if isinstance(field, DurationField):
        if field.format != "seconds":
            return _duration(text, field)
        return exact_decimal(text.str.replace(field.decimal, ".", literal=True))
    return exact_decimal(_plain(text, field))


def exact_decimal(text: pl.Expr) -> pl.Expr:
    """Decimals of text with a decimal point, rounded to ten decimals half away from zero.

    Shape: row by row. Null for words, NaN, Infinity and what is wider than `WIDEST`.
    """
    signed = (
        pl.when(text.str.ends_with("-"))
        .then(pl.lit("-") + text.str.strip_suffix("-"))
        .otherwise(text)
    )
    # A number too wide for sixteen decimals may still be a sound counter.
    return _bounded(pl.coalesce(_rounded(signed), signed.cast(QUANTITY, strict=False)))


def _rounded(text: pl.Expr) -> pl.Expr:
    value = text.cast(_WIDE, strict=False)
    return value.round(10, mode="half_away_from_zero").cast(QUANTITY)


def _bounded(value: pl.Expr) -> pl.Expr:
    return pl.when(value.abs() <= pl.lit(WIDEST, QUANTITY)).then(value)


def _plain(text: pl.Expr, field: DecimalField) -> pl.Expr:
    """Text with a decimal point and nothing else but digits; null if the groups are wrong."""
    for symbol in field.symbols:
        text = text.str.replace_all(symbol, "", literal=True).str.strip_chars()
    if (field.thousands, field.decimal) == ("", "."):
        return text
    d = "\\" + field.decimal
    shape = rf"^[+-]?(?:\d+(?:{d}\d*)?|{d}\d+)-?$"
    if field.thousands:
        t = "\\" + field.thousands
        shape = rf"^[+-]?(?:\d{{1,3}}(?:{t}\d{{3}})+|\d+)(?:{d}\d*)?-?$"
    fits: pl.Expr = pl.when(text.str.contains(shape)).then(text)
    if field.thousands:
        fits = fits.str.replace_all(field.thousands, "", literal=True)
    return fits.str.replace(field.decimal, ".", literal=True)


def _duration(text: pl.Expr, field: DurationField) -> pl.Expr:
    if field.format == "clock":
        return _clock(text)
    if field.format == "suffixed":
        return _suffixed(text)
    number = exact_decimal(text.str.replace(field.decimal, ".", literal=True))
    small = pl.when(number.abs() <= pl.lit(Decimal(10) ** 15, QUANTITY)).then(number)
    if field.format == "minutes":
        return (small * pl.lit(Decimal(60), QUANTITY)).cast(QUANTITY)
    return (small / pl.lit(_PER_SECOND[field.format], QUANTITY)).cast(QUANTITY)


def _clock(text: pl.Expr) -> pl.Expr:
    groups = text.str.extract_groups(_CLOCK).struct
    days, hours, minutes, seconds = (
        groups.field(str(n)).cast(QUANTITY, strict=False) for n in range(1, 5)
    )
    total = _times(days, 86_400) + _times(hours, 3600) + _times(minutes, 60) + seconds
    return total.cast(QUANTITY)


def _suffixed(text: pl.Expr) -> pl.Expr:
    groups = text.str.extract_groups(_SUFFIXED).struct
    hours, minutes, seconds, millis = (
        groups.field(str(n)).cast(QUANTITY, strict=False) for n in range(1, 5)
    )
    total = _times(hours, 3600) + _times(minutes, 60) + seconds.fill_null(Decimal(0))
    total += millis.fill_null(Decimal(0)) / pl.lit(Decimal(1000), QUANTITY)
    is_something = text.str.contains(r"\d") & (text.str.len_bytes() < 20)  # noqa: PLR2004
    return pl.when(is_something).then(total.cast(QUANTITY))


def _times(number: pl.Expr, factor: int) -> pl.Expr:
    return number.fill_null(Decimal(0)) * pl.lit(Decimal(factor), QUANTITY)
