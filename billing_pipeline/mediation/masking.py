"""Usage without what tells whom it was with: same rows, same figures, no numbers."""

import hashlib

import polars as pl

MASKED = "masked"
"""What stands where a number, an address or a record's own text stood."""

_REPLACED = (
    "service_identifier",
    "origin",
    "destination",
    "identity",
    "session_key",
    "raw",
    "detail",
)
_EMPTIED = ("attributes",)
_COUNTED = ("meter_group", "meter_value")
_DIGITS = 16


def masked(usage: pl.DataFrame, tenant_key: str) -> pl.DataFrame:
    """Usage of any stage with its personal columns masked; what was empty stays empty.

    Values that a price counts once become digests, equal where they were equal, so that what they
    come to stays. Masking twice changes nothing. Shape: row by row.
    """
    replaced = usage.with_columns(
        *(_replaced(name) for name in _REPLACED if name in usage.columns),
        *(pl.lit(None, pl.String).alias(name) for name in _EMPTIED if name in usage.columns),
    )
    for name in _COUNTED:
        if name in usage.columns:
            replaced = replaced.with_columns(_digests(replaced[name], tenant_key))
    return replaced


def _replaced(name: str) -> pl.Expr:
    return pl.when(pl.col(name).is_not_null()).then(pl.lit(MASKED)).alias(name)


def _digests(values: pl.Series, tenant_key: str) -> pl.Series:
    known = values.drop_nulls().unique().sort().to_list()
    digests = {value: _digest(value, tenant_key) for value in known}
    return values.replace_strict(digests, return_dtype=pl.String, default=None)


def _digest(value: str, tenant_key: str) -> str:
    if value.startswith(f"{MASKED}:"):
        return value
    digest = hashlib.sha256(f"{tenant_key}\n{value}".encode()).hexdigest()
    return f"{MASKED}:{digest[:_DIGITS]}"
