"""Frames of logins."""

import polars as pl

from billing_pipeline.vocabulary.frames import UTC_INSTANT, FrameSchema, optional, required

PEOPLE = FrameSchema(
    name="people",
    grain="one row per login of a person or tool",
    columns={
        "role_name": required(pl.String, "the login, as Postgres knows it"),
        "kind": required(pl.String, "operator, finance or reader"),
        "tenant_key": optional(pl.String, "sees it and those below it; null: everyone"),
        "granted_at": required(UTC_INSTANT, "when"),
        "granted_by": required(pl.String, "who let it in"),
    },
)
