"""Controls over what is possible and still wrong: nothing charged, nothing earned, far too much.

They warn rather than block: a person decides. Every tolerance is an argument; defaults stand in
catalogue.py.
"""

import datetime as dt
from decimal import Decimal

import polars as pl

from billing_pipeline.assurance.findings import account_findings, findings
from billing_pipeline.vocabulary.money import plain_text

_WHOLE = pl.Decimal(38, 10)


def usage_lies_within_subscriptions(
    usage_per_day: pl.DataFrame, subscriptions: pl.DataFrame
) -> pl.DataFrame:
    """Rated usage before its subscription began, after it ended, or of none, by local day.

    ACCOUNT_FINDINGS, blocking.
    """
    lives = subscriptions.select("subscription_key", "started_on", "ended_on")
    wrong = (
        usage_per_day.join(lives, on="subscription_key", how="left", validate="m:1")
        .filter(
            pl.col("started_on").is_null()
            | (pl.col("local_date") < pl.col("started_on"))
            | (pl.col("local_date") >= pl.col("ended_on"))
        )
        .group_by("account_key", "subscription_key")
        .agg(
            events=pl.col("events").sum(),
            first=pl.col("local_date").min(),
            last=pl.col("local_date").max(),
        )
    )
    return account_findings(
        wrong,
        control="usage_outside_subscription",
        severity="block",
        subject=pl.col("subscription_key"),
        message=pl.format(
            "{} rated events from {} to {} lie outside the subscription. Correct its dates or its "
            "identifiers and rate those days again.",
            "events",
            "first",
            "last",
        ),
    )


def zero_rated_usage(free: pl.DataFrame, tolerated_percent: Decimal) -> pl.DataFrame:
    """Products more of whose event-priced usage than tolerated came out at nothing."""
    wrong = free.filter(
        pl.col("free").cast(_WHOLE) * 100 > pl.col("events").cast(_WHOLE) * tolerated_percent
    )
    return findings(
        wrong,
        control="zero_rated",
        severity="warn",
        subject=pl.col("product_key"),
        message=pl.format(
            "{} of {} billable events cost nothing. Look for zero prices in its rate card.",
            "free",
            "events",
        ),
    )


def below_cost(margins: pl.DataFrame, tolerated_percent: Decimal) -> pl.DataFrame:
    """Destinations sold for less than they cost, beyond the tolerated share of the cost."""
    lost = -pl.col("margin").cast(_WHOLE) * 100
    wrong = margins.filter(lost > pl.col("cost").cast(_WHOLE) * tolerated_percent)
    return findings(
        wrong,
        control="below_cost",
        severity="warn",
        subject=pl.concat_str(
            "product_key", pl.col("rate_name").fill_null("other"), "currency", separator=" "
        ),
        message=pl.format(
            "{} events sold for {} cost {}. Compare sales card and supplier deck.",
            "events",
            plain_text(pl.col("revenue")),
            plain_text(pl.col("cost")),
        ),
    )


def unusual_amounts(
    documents: pl.DataFrame, history: pl.DataFrame, tolerated_times: Decimal
) -> pl.DataFrame:
    """Documents far above what the account was used to.

    Args:
        documents: INVOICES to issue.
        history: INVOICES of the same accounts issued before; accounts without any are passed over.
        tolerated_times: multiple of the median of the earlier invoices that is still usual.
    """
    key = ["account_key", "currency"]
    usual = (
        history.filter(pl.col("document_kind") == "invoice", pl.col("net_minor") > 0)
        .sort("net_minor")
        .group_by(key)
        # The lower median is a whole number of minor units.
        .agg(usual_minor=pl.col("net_minor").get((pl.len() - 1) // 2))
    )
    judged = documents.join(usual, on=key, how="inner", validate="m:1")
    wrong = judged.filter(
        pl.col("net_minor").abs().cast(_WHOLE)
        > pl.col("usual_minor").cast(_WHOLE) * tolerated_times
    )
    return findings(
        wrong,
        control="unusual_amount",
        severity="warn",
        subject=pl.col("invoice_key"),
        message=pl.format(
            "net {} minor units of {}, usually about {}. Look at its largest lines before it goes "
            "out.",
            "net_minor",
            "currency",
            "usual_minor",
        ),
    )


def suspense_age(suspense: pl.DataFrame, now: dt.datetime, tolerated_days: Decimal) -> pl.DataFrame:
    """Reasons for which records have waited in suspense longer than tolerated, by event time."""
    waited = (pl.lit(now) - pl.col("started_at")).dt.total_days()
    old = suspense.with_columns(days=waited).filter(pl.col("days").cast(_WHOLE) > tolerated_days)
    wrong = old.group_by("feed_key", "reason").agg(
        records=pl.len(),
        quantity=pl.col("quantity").drop_nulls().sum(),
        oldest=pl.col("days").max(),
    )
    return findings(
        wrong,
        control="suspense_age",
        severity="warn",
        subject=pl.concat_str("feed_key", "reason", separator=" "),
        message=pl.format(
            "{} records with quantity {} wait, the oldest for {} days. Mend the reference data and "
            "recycle them, or write them off.",
            "records",
            plain_text(pl.col("quantity")),
            "oldest",
        ),
    )
