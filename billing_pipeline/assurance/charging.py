"""Controls over charges: who should be charged is, nobody else is, and agreements are kept."""

import datetime as dt
from decimal import Decimal

import polars as pl

from billing_pipeline.assurance.findings import account_findings, all_findings, findings
from billing_pipeline.billing.prices import discount_terms, plan_terms, recurring_fees
from billing_pipeline.billing.usage_prices import pooled_prices
from billing_pipeline.catalog.agreements import ALWAYS
from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.vocabulary.money import plain_text

_WHOLE = pl.Decimal(38, 10)
_OF_SERVICE = ["recurring", "usage", "minimum", "discount"]
_LAST_DECIMALS = pl.lit(Decimal("0.000001"))


def subscriptions_are_charged(
    subscriptions: pl.DataFrame, charges: pl.DataFrame, catalog: Catalog, day: dt.date
) -> pl.DataFrame:
    """Active subscriptions with a fee that are charged up to less than a period ago: the rest.

    A fee in arrears is charged up to a day at most one billing period back, a fee in advance
    further; whoever is charged up to earlier was left out. ACCOUNT_FINDINGS.

    Args:
        subscriptions: SUBSCRIPTIONS as known now.
        charges: CHARGES that stand, posted or computed.
        catalog: plans and their fees.
        day: local day from which is counted.
    """
    fees = recurring_fees(catalog).filter(
        pl.col("valid_from") <= day, pl.col("valid_until").is_null() | (pl.col("valid_until") > day)
    )
    terms = plan_terms(catalog).join(fees.select("plan_key").unique(), on="plan_key", how="semi")
    reached = (
        charges.filter(pl.col("charge_kind") == "recurring")
        .group_by("subscription_key")
        .agg(reached=pl.col("service_until").max())
    )
    first = pl.col("started_on").dt.offset_by(pl.format("{}d", "trial_days"))
    months, days = pl.format("-{}mo", "step_months"), pl.format("-{}d", "step_days")
    judged = (
        subscriptions.join(terms, on="plan_key", how="inner", validate="m:1")
        .join(reached, on="subscription_key", how="left", validate="1:1")
        .with_columns(
            charged_until=pl.max_horizontal(pl.coalesce("reached", first), first),
            a_period_ago=pl.lit(day).dt.offset_by(months).dt.offset_by(days),
        )
    )
    is_active = pl.col("ended_on").is_null() | (pl.col("ended_on") > pl.col("charged_until"))
    return account_findings(
        judged.filter(is_active, pl.col("charged_until") <= pl.col("a_period_ago")),
        control="subscription_without_charge",
        severity="warn",
        subject=pl.col("subscription_key"),
        message=pl.format(
            "of account {} is active and charged up to {} only. Look at its plan {} and at the "
            "bill days since.",
            "account_key",
            "charged_until",
            "plan_key",
        ),
    )


def charges_have_subscriptions(charges: pl.DataFrame, subscriptions: pl.DataFrame) -> pl.DataFrame:
    """Charges for service of a subscription that was not active: ACCOUNT_FINDINGS, blocking.

    Args:
        charges: CHARGES that stand; those that come to nothing are passed over.
        subscriptions: SUBSCRIPTIONS as known now.
    """
    of_service = charges.filter(
        pl.col("subscription_key").is_not_null(),
        pl.col("charge_kind").is_in(_OF_SERVICE),
        pl.col("amount") != 0,
    )
    lives = subscriptions.select("subscription_key", "started_on", "ended_on")
    wrong = of_service.join(lives, on="subscription_key", how="left", validate="m:1").filter(
        pl.col("started_on").is_null()
        | (pl.col("service_until") <= pl.col("started_on"))
        | (pl.col("service_from") > pl.col("ended_on"))
    )
    return account_findings(
        wrong.unique("charge_key"),
        control="charge_without_subscription",
        severity="block",
        subject=pl.col("charge_key"),
        message=pl.format(
            "is for {}, which was not active from {} to {}. Correct the subscription or withdraw "
            "the charge.",
            "subscription_key",
            "service_from",
            "service_until",
        ),
    )


def discounts_end(charges: pl.DataFrame, catalog: Catalog) -> pl.DataFrame:
    """Discounts still given after their last day or their last period: ACCOUNT_FINDINGS.

    Args:
        charges: CHARGES that stand.
        catalog: discounts and what was agreed of them.
    """
    terms = discount_terms(catalog).select(
        price_key="discount_key", periods="periods", until="until"
    )
    given = charges.filter(pl.col("charge_kind") == "discount", pl.col("amount") != 0).join(
        terms, on="price_key", how="inner", validate="m:1"
    )
    first = pl.col("service_from").min().over("subscription_key", "price_key")
    # A first period may be short, so the discount may end a little before this day.
    ended = first.dt.offset_by(pl.format("{}mo", pl.col("periods").fill_null(0)))
    is_monthly = (pl.col("service_until") > pl.col("service_from").dt.offset_by("27d")).all()
    is_late = (pl.col("service_from") >= pl.col("until")) | (
        pl.col("periods").is_not_null()
        & is_monthly.over("subscription_key", "price_key")
        & (pl.col("service_from") >= ended)
    )
    return account_findings(
        given.filter(is_late.fill_null(value=False)),
        control="discount_past_end",
        severity="block",
        subject=pl.col("charge_key"),
        message=pl.format(
            "the discount is given from {}, after it had ended. Correct the discount or the "
            "subscription and compute the charges again.",
            "service_from",
        ),
    )


def included_units_kept(
    charges: pl.DataFrame,
    usage_per_day: pl.DataFrame,
    subscriptions: pl.DataFrame,
    catalog: Catalog,
) -> pl.DataFrame:
    """Usage charges that leave out more units, or fewer, than the plan includes.

    Where one pool pays for prices that count in one unit, what is charged is what was used less
    what the pool holds, or nothing. ACCOUNT_FINDINGS, blocking.

    Args:
        charges: CHARGES as computed.
        usage_per_day: USAGE_PER_DAY of their service.
        subscriptions: SUBSCRIPTIONS; those on a plan with included units are looked at.
        catalog: plans and their pools.
    """
    pools = _single_pools(pooled_prices(catalog))
    plans = subscriptions.select("subscription_key", "plan_key")
    pooled = charges.filter(pl.col("charge_kind") == "usage").join(
        plans, on="subscription_key", how="inner", validate="m:1"
    )
    pooled = pooled.join(pools, on=["plan_key", "price_key"], how="inner", validate="m:1")
    key = ["subscription_key", "pool_number", "service_from", "service_until"]
    charged = pooled.group_by("account_key", *key).agg(
        pl.col("quantity").sum(), pl.col("pool_units").first()
    )
    used = (
        pooled.select(*key, "price_key", "pricing_unit")
        .join(usage_per_day, on=["subscription_key", "price_key"], how="inner")
        .filter(
            pl.col("local_date") >= pl.col("service_from"),
            pl.col("local_date") < pl.col("service_until"),
        )
        .group_by(key)
        .agg(used=(pl.col("units").cast(_WHOLE) / pl.col("pricing_unit").cast(_WHOLE)).sum())
    )
    due = (pl.col("used") - pl.col("pool_units").cast(_WHOLE)).clip(lower_bound=0)
    judged = charged.join(used, on=key, how="inner", validate="1:1").with_columns(due=due)
    return account_findings(
        judged.filter((pl.col("quantity").cast(_WHOLE) - pl.col("due")).abs() > _LAST_DECIMALS),
        control="included_units",
        severity="block",
        subject=pl.format("{} {}", "subscription_key", "service_from"),
        message=pl.format(
            "{} units were used, {} are included, and {} are charged. Compute the charges of this "
            "bill day again.",
            *(plain_text(pl.col(name)) for name in ("used", "pool_units", "quantity")),
        ),
    )


def rate_cards_current(
    rate_cards: pl.DataFrame, day: dt.date, tolerated_days: Decimal
) -> pl.DataFrame:
    """Rate cards whose prices have run out, or have not changed for long: FINDINGS.

    A card whose prices hold for ever has no age.

    Args:
        rate_cards: RATE_CARD_AGES.
        day: local day from which is counted.
        tolerated_days: so long prices may stand.
    """
    age = (pl.lit(day) - pl.col("newest_from")).dt.total_days()
    aged = rate_cards.with_columns(age=age)
    lapsed = pl.col("held_until") <= day
    return all_findings(
        [
            findings(
                aged.filter(lapsed.fill_null(value=False)),
                control="rate_card_lapsed",
                severity="warn",
                subject=pl.col("card_key"),
                message=pl.format(
                    "its last price held until {}: new usage waits in suspense. Load the next "
                    "card.",
                    "held_until",
                ),
            ),
            findings(
                aged.filter(
                    ~lapsed.fill_null(value=False),
                    pl.col("newest_from") > ALWAYS,
                    pl.col("age") > int(tolerated_days),
                ),
                control="rate_card_age",
                severity="warn",
                subject=pl.col("card_key"),
                message=pl.format(
                    "its newest price is of {}. Ask the supplier whether it still holds.",
                    "newest_from",
                ),
            ),
        ]
    )


def exchange_rates_current(
    tenant: Tenant, documents: pl.DataFrame, day: dt.date, tolerated_days: Decimal
) -> pl.DataFrame:
    """Foreign currencies that are invoiced and have no exchange rate of late: FINDINGS.

    A tenant without any exchange rates revalues nothing and is passed over.

    Args:
        tenant: whose exchange rates.
        documents: INVOICES.
        day: local day from which is counted.
        tolerated_days: so old the newest rate may be.
    """
    rates = pl.DataFrame(
        [(rate.currency, rate.valid_from) for rate in tenant.exchange_rates],
        schema={"currency": pl.String, "valid_from": pl.Date},
        orient="row",
    )
    newest = rates.group_by("currency").agg(newest=pl.col("valid_from").max())
    foreign = documents.filter(
        pl.col("currency") != tenant.currency, pl.lit(bool(tenant.exchange_rates))
    )
    judged = foreign.select("currency").unique().join(newest, on="currency", how="left")
    oldest = day - dt.timedelta(days=int(tolerated_days))
    is_old = pl.col("newest").is_null() | (pl.col("newest") < oldest)
    return findings(
        judged.filter(is_old),
        control="exchange_rate_age",
        severity="warn",
        subject=pl.col("currency"),
        message=pl.format(
            "its newest exchange rate is {}. Add today's to exchange_rates in tenant.yaml before "
            "the month is closed.",
            pl.col("newest").cast(pl.String).fill_null("missing"),
        ),
    )


def _single_pools(pools: pl.DataFrame) -> pl.DataFrame:
    """Pools of one subscription's period that share no price with another and count in one unit."""
    pool = ["plan_key", "pool_number"]
    pools = pools.filter(
        pl.col("shared_by") == "subscription",
        pl.col("pool_proration") == "none",
        pl.col("rollover_periods") == 0,
    )
    is_single = pl.len().over("plan_key", "price_key") == 1
    one_unit = pl.col("pricing_unit").n_unique().over(pool) == 1
    return pools.with_columns(is_single=is_single, one_unit=one_unit).filter(
        pl.col("is_single").all().over(pool), "one_unit"
    )
