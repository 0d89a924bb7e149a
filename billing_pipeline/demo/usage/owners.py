"""Who owns the identifiers of a feed, from the demo's own configuration folders."""

from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import polars as pl

from billing_pipeline.demo.usage.draw import Span
from billing_pipeline.intake.tenant_folder import TenantFolder, read_tenant_folder

TENANT_FOLDERS = Path(__file__).parent.parent / "tenants"


@dataclass(frozen=True)
class FeedSource:
    """Where a feed's events come from: the tenants it serves and how its identifiers look."""

    tenant_key: str
    feed_key: str
    serves: tuple[str, ...]
    identifiers: str  # regular expression


SOURCES = (
    FeedSource("meridian", "agent-calls", ("ringwell", "cleardesk"), r"^1[0-9]{10}$"),
    FeedSource("northlink", "freeswitch", ("northlink",), r"^44[0-9]{10}$"),
    FeedSource("northlink", "asterisk", ("northlink",), r"^nl-"),
    FeedSource("datastrom", "api-usage", ("datastrom",), r"^key-"),
    FeedSource("datastrom", "interface-counters", ("datastrom",), r":"),
    FeedSource("datastrom", "licences", ("datastrom",), r"^WP-"),
)
"""Every feed of the demo, in the order it is drawn."""


def read_owners(source: FeedSource, span: Span) -> pl.DataFrame:
    """The identifiers of a feed while their subscriptions last inside the span.

    Shape: one row per identifier and span of ownership: identifier, from_s, until_s, weight.
    """
    parts = [_owners(read_tenant_folder(TENANT_FOLDERS / tenant)) for tenant in source.serves]
    of_feed = pl.concat(parts).filter(pl.col("identifier").str.contains(source.identifiers))
    clipped = of_feed.with_columns(
        pl.col("from_s").clip(lower_bound=span.start_s),
        pl.col("until_s").fill_null(span.end_s).clip(upper_bound=span.end_s),
    ).filter(pl.col("from_s") < pl.col("until_s"))
    # The first identifiers of the list are used the most, as in any customer base.
    return clipped.with_row_index("rank", offset=2).with_columns(weight=1 / pl.col("rank").sqrt())


def zone_of(tenant_key: str) -> ZoneInfo:
    """The zone of a demo tenant."""
    return read_tenant_folder(TENANT_FOLDERS / tenant_key).tenant.zone


def _owners(folder: TenantFolder) -> pl.DataFrame:
    zone = folder.tenant.time_zone
    ends = folder.subscriptions.select(
        "subscription_key",
        pl.col("ended_on")
        .cast(pl.Datetime("us"))
        .dt.replace_time_zone(zone)
        .dt.convert_time_zone("UTC")
        .alias("ended_at"),
    )
    owned = folder.service_identifiers.join(
        ends, on="subscription_key", how="left", validate="m:1", maintain_order="left"
    )
    until = pl.min_horizontal("valid_until", "ended_at")
    return owned.select(
        "identifier",
        pl.col("valid_from").dt.epoch("s").alias("from_s"),
        until.dt.epoch("s").alias("until_s"),
    )
