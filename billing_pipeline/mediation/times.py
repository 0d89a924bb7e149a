"""Times of usage records: declared formats and zones, to UTC instants.

Nearly all values fit the first format and exist once; that is one vectorised pass. Only values
that do not are looked at again: the other formats, then local times that happen twice or never.
"""

from typing import NamedTuple

import polars as pl

from billing_pipeline.catalog.feed_fields import TimeField
from billing_pipeline.vocabulary.frames import UTC_INSTANT

_WORDS = {
    "iso8601": ["%+", "%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M%#z"],
    "rfc2822": ["%a, %d %b %Y %H:%M:%S %z", "%d %b %Y %H:%M:%S %z"],
}
_EPOCHS = {"epoch_s": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1}
_LAST_SECOND = 253_402_300_799  # 9999-12-31, far beyond what the plausibility check lets through
_DAY_US = 86_400_000_000
_EXCEL_EPOCH_US = -2_209_161_600_000_000  # 1899-12-30
_GAP = pl.duration(hours=3)  # wider than any change of a zone's offset


class Instants(NamedTuple):
    """UTC instants, and per value a remark or null."""

    values: pl.Series
    flags: pl.Series | None


def formats_of(field: TimeField) -> list[str]:
    """The formats of a field with the words spelled out."""
    return [format_ for word in field.formats for format_ in _WORDS.get(word, [word])]


def first_reading(text: pl.Expr, field: TimeField) -> pl.Expr:
    """Instants by the first format; null where it does not fit or the local time is not one.

    Shape: row by row. Null also for every value if zones differ by record.
    """
    if field.zone_source is not None:
        return text.is_null().replace_strict({}, default=None, return_dtype=UTC_INSTANT)
    format_ = formats_of(field)[0]
    return _localised(_read(text, format_), format_, field.zone)


def reread(
    text: pl.Series, values: pl.Series, zones: pl.Series | None, field: TimeField
) -> Instants:
    """Second look at the values the first reading left null although there is text."""
    frame = pl.DataFrame({"text": text, "value": values}).with_columns(
        zone=pl.lit(field.zone) if zones is None else zones.fill_null(field.zone),
        at=pl.int_range(pl.len()),
    )
    missing = frame.filter(pl.col("value").is_null(), pl.col("text").is_not_null())
    found = pl.concat(
        [
            _reread_zone(group, str(zone), field)
            for (zone,), group in sorted(missing.partition_by("zone", as_dict=True).items())
        ]
        or [pl.DataFrame(schema={"at": pl.Int64, "found": UTC_INSTANT, "flag": pl.String})]
    )
    joined = frame.join(found, on="at", how="left", validate="1:1", maintain_order="left")
    flags = joined["flag"] if joined["flag"].null_count() < joined.height else None
    return Instants(joined.select(pl.coalesce("value", "found")).to_series(), flags)


def _reread_zone(missing: pl.DataFrame, zone: str, field: TimeField) -> pl.DataFrame:
    empty = missing.select("at", found=pl.lit(None, UTC_INSTANT), flag=pl.lit(None, pl.String))
    try:
        pl.Series([None], dtype=pl.Datetime("us")).dt.replace_time_zone(zone)
    except pl.exceptions.PolarsError:
        return empty  # the record names a zone nobody knows
    text = _as_offset(pl.col("text"), field)
    readings = [_resolved(_read(text, f), f, zone, field) for f in formats_of(field)]
    flags = [_remark(_read(text, f), f, zone) for f in formats_of(field)]
    read = missing.select(
        "at",
        *(r.alias(f"r{n}") for n, r in enumerate(readings)),
        *(r.alias(f"f{n}") for n, r in enumerate(flags)),
    )
    return read.select(
        "at",
        found=pl.coalesce(pl.col(f"r{n}") for n in range(len(readings))),
        flag=pl.coalesce(
            pl.when(pl.col(f"r{n}").is_not_null()).then(pl.col(f"f{n}"))
            for n in range(len(readings))
        ),
    )


def _as_offset(text: pl.Expr, field: TimeField) -> pl.Expr:
    if "rfc2822" not in field.formats:
        return text
    return text.str.replace(r" (?:GMT|UTC|UT|Z)$", " +0000")


def _has_offset(format_: str) -> bool:
    return format_ == "%+" or "%z" in format_ or "%#z" in format_ or "%:z" in format_


def _read(text: pl.Expr, format_: str) -> pl.Expr:
    """Aware instants where the format carries an offset or is an epoch, else local times."""
    if format_ in _EPOCHS:
        number = text.cast(pl.Decimal(38, 6), strict=False)
        in_range = number.abs() <= _LAST_SECOND * 1_000_000 // _EPOCHS[format_]
        scaled = pl.when(in_range).then(number) * pl.lit(_EPOCHS[format_]).cast(pl.Decimal(38, 0))
        return scaled.cast(pl.Int64).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    if format_ == "excel_serial":
        days = text.cast(pl.Decimal(38, 12), strict=False)
        plausible = pl.when(days.is_between(0, 2_958_465)).then(days)
        micros = (plausible * pl.lit(_DAY_US).cast(pl.Decimal(38, 0))).round(-6 + 6)
        return (micros.cast(pl.Int64) + _EXCEL_EPOCH_US).cast(pl.Datetime("us"))
    return text.str.to_datetime(
        format_,
        strict=False,
        time_unit="us",
        time_zone="UTC" if _has_offset(format_) else None,
    )


def _is_aware(format_: str) -> bool:
    return format_ in _EPOCHS or _has_offset(format_)


def _localised(time: pl.Expr, format_: str, zone: str) -> pl.Expr:
    if _is_aware(format_):
        return time
    if zone == "UTC":
        return time.dt.replace_time_zone("UTC")
    local = time.dt.replace_time_zone(zone, ambiguous="null", non_existent="null")
    return local.dt.convert_time_zone("UTC")


def _resolved(time: pl.Expr, format_: str, zone: str, field: TimeField) -> pl.Expr:
    plain = _localised(time, format_, zone)
    if _is_aware(format_) or zone == "UTC":
        return plain
    choices = [plain]
    if field.ambiguous != "suspense":
        choices.append(
            time.dt.replace_time_zone(
                zone, ambiguous=field.ambiguous, non_existent="null"
            ).dt.convert_time_zone("UTC")
        )
    if field.nonexistent == "shift":
        # The offset in force before the gap tells which instant the clock meant.
        before = (time - _GAP).dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        exists = time.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
        choices.append(pl.when(exists.is_null()).then(before.dt.convert_time_zone("UTC") + _GAP))
    return pl.coalesce(choices)


def _remark(time: pl.Expr, format_: str, zone: str) -> pl.Expr:
    if _is_aware(format_) or zone == "UTC":
        return pl.lit(None, pl.String)
    exact = time.dt.replace_time_zone(zone, ambiguous="null", non_existent="null")
    once = time.dt.replace_time_zone(zone, ambiguous="earliest", non_existent="null")
    return (
        pl.when(time.is_null() | exact.is_not_null())
        .then(None)
        .when(once.is_not_null())
        .then(pl.lit("ambiguous_time"))
        .otherwise(pl.lit("nonexistent_time"))
    )
