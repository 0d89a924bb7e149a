"""Controls over usage on its way to a charge: every rated event is kept, charged, and on time."""

import datetime as dt
from decimal import Decimal

import polars as pl

from billing_pipeline.assurance.findings import account_findings, findings

_SERVICE = ["subscription_key", "price_key"]


def parts_intact(parts: pl.DataFrame) -> pl.DataFrame:
    """Files of the lake that are gone or not what was written: FINDINGS, blocking.

    Args:
        parts: LAKE_PARTS.
    """
    return findings(
        parts.filter(pl.col("fault").is_not_null()),
        control="lake_part",
        severity="block",
        subject=pl.col("path"),
        message=pl.format(
            "the file of {} for {} is {}. Somebody touched the lake: compute that day again from "
            "what lies before it, then this finding closes.",
            "frame",
            "partition_day",
            "fault",
        ),
    )


def usage_conserved(counted: pl.DataFrame, conservation: pl.DataFrame) -> pl.DataFrame:
    """Days on which the lake holds other rated events than rating counted: FINDINGS, blocking.

    Args:
        counted: columns partition_day, events, quantity: what the lake holds of rated usage.
        conservation: CONSERVATION of the same days.
    """
    rated = (
        conservation.filter(pl.col("stage") == "rate")
        .group_by("partition_day")
        .agg(accepted=pl.col("accepted").sum(), suspended=pl.col("suspended").sum())
    )
    both = rated.join(counted, on="partition_day", how="full", coalesce=True, validate="1:1")
    wrong = both.filter(
        pl.col("accepted").fill_null(0) != pl.col("events").cast(pl.Int64).fill_null(0)
    )
    return findings(
        wrong,
        control="usage_conserved",
        severity="block",
        subject=pl.col("partition_day"),
        message=pl.format(
            "rating counted {} events, the lake holds {}. Rate the day again.",
            pl.col("accepted").fill_null(0),
            pl.col("events").fill_null(0),
        ),
    )


def usage_charged(computed: pl.DataFrame, usage_per_day: pl.DataFrame) -> pl.DataFrame:
    """Usage charges that hold other events than were rated: ACCOUNT_FINDINGS, blocking.

    Args:
        computed: CHARGES of this bill day.
        usage_per_day: USAGE_PER_DAY of at least their service periods.
    """
    usage = computed.filter(pl.col("charge_kind") == "usage")
    rated = _rated_within(usage, usage_per_day)
    judged = usage.join(rated, on="charge_key", how="left", validate="m:1").with_columns(
        pl.col("rated").fill_null(0)
    )
    return account_findings(
        judged.filter(pl.col("events") != pl.col("rated")),
        control="usage_charged",
        severity="block",
        subject=pl.col("charge_key"),
        message=pl.format(
            "charges {} events, {} are rated from {} to {}. Compute the bill day's charges again.",
            "events",
            "rated",
            "service_from",
            "service_until",
        ),
    )


def unbilled_age(
    usage_per_day: pl.DataFrame,
    charges: pl.DataFrame,
    day: dt.date,
    tolerated_days: Decimal,
) -> pl.DataFrame:
    """Subscriptions whose rated usage has waited too long for a charge: ACCOUNT_FINDINGS.

    Args:
        usage_per_day: USAGE_PER_DAY.
        charges: usage charges posted or computed: CHARGES columns.
        day: local day from which is counted.
        tolerated_days: so long usage may wait.
    """
    until = day - dt.timedelta(days=int(tolerated_days))
    old = usage_per_day.filter(pl.col("local_date") < until, pl.col("events") > 0)
    covered = (
        charges.filter(pl.col("charge_kind") == "usage")
        .select(*_SERVICE, "service_from", "service_until")
        .unique()
        .join(old.select(*_SERVICE, "local_date"), on=_SERVICE, how="inner")
        .filter(
            pl.col("local_date") >= pl.col("service_from"),
            pl.col("local_date") < pl.col("service_until"),
        )
        .select(*_SERVICE, "local_date")
        .unique()
    )
    waiting = old.join(covered, on=[*_SERVICE, "local_date"], how="anti")
    wrong = waiting.group_by("account_key", "subscription_key").agg(
        pl.col("events").sum(), pl.col("amount").sum(), first=pl.col("local_date").min()
    )
    return account_findings(
        wrong,
        control="unbilled_age",
        severity="warn",
        subject=pl.col("subscription_key"),
        message=pl.format(
            "{} rated events worth {} have no charge, the oldest of {}. Look at the plan and the "
            "dates of the subscription and rate those days again.",
            "events",
            "amount",
            "first",
        ),
    )


def suspense_value(
    suspense: pl.DataFrame, usage_per_day: pl.DataFrame, tolerated_percent: Decimal
) -> pl.DataFrame:
    """Feeds more of whose records than tolerated wait in suspense, with their value: FINDINGS.

    The value is estimated: so many events at the average price of the events that were rated.

    Args:
        suspense: SUSPENSE of the span.
        usage_per_day: USAGE_PER_DAY of the same span.
        tolerated_percent: of all events, waiting and rated.
    """
    rated = int(usage_per_day["events"].sum())
    worth = Decimal(usage_per_day["amount"].sum() or 0)
    each = (worth / rated if rated else Decimal(0)).quantize(Decimal("0.000001"))
    wrong = (
        suspense.group_by("feed_key")
        .agg(records=pl.len().cast(pl.Int64))
        .filter(
            # Without rated usage, as where tenants below own it, there is nothing to compare.
            pl.lit(rated > 0),
            pl.col("records").cast(pl.Decimal(38, 10)) * 100
            > (pl.col("records") + rated).cast(pl.Decimal(38, 10)) * tolerated_percent,
        )
    )
    return findings(
        wrong,
        control="suspense_value",
        severity="warn",
        subject=pl.col("feed_key"),
        message=pl.format(
            "{} records wait beside {} rated events, at an average price of {} each. Mend the "
            "reference data and recycle them.",
            "records",
            pl.lit(rated),
            pl.lit(str(each)),
        ),
    )


def _rated_within(usage: pl.DataFrame, usage_per_day: pl.DataFrame) -> pl.DataFrame:
    """Rated events of each charge's service: charge_key, rated."""
    days = usage_per_day.select(*_SERVICE, "local_date", rated="events")
    return (
        usage.select("charge_key", *_SERVICE, "service_from", "service_until")
        .unique("charge_key")
        .join(days, on=_SERVICE, how="inner")
        .filter(
            pl.col("local_date") >= pl.col("service_from"),
            pl.col("local_date") < pl.col("service_until"),
        )
        .group_by("charge_key")
        .agg(pl.col("rated").sum())
    )
