"""Discounts: a percentage or an amount off charges of subscriptions that agreed to one.

Worked example: 25 % off $40.00 are $10.00; agreed for 20 of 30 days, $6.67 after rounding. Two
discounts of 60 % take 24.00 and then the 16.00 that are left, never more.
"""

import datetime as dt

import polars as pl

from billing_pipeline.billing.charge_rows import CHARGED, NO_EVENTS, charge_rows
from billing_pipeline.billing.facts import BillingFacts
from billing_pipeline.billing.prices import discount_terms
from billing_pipeline.billing.spans import STEP
from billing_pipeline.vocabulary.money import QUANTITY, exact_product
from billing_pipeline.vocabulary.periods import days_between, period_index

_PER_CENT = pl.lit(100)
_RANK = "discount_rank"


def agreed_discounts(facts: BillingFacts, spans: pl.DataFrame) -> pl.DataFrame:
    """Discounts each subscription agreed to, in the order they are taken.

    A discount of n periods counts them from the billing period it was agreed in.
    Shape: one row per subscription and discount: DISCOUNTS with `subscription_key`, the local
    days `agreed_from`, `agreed_until` (null is open), `first_number`, the number of its first
    period, and `discount_rank`, from 1. `spans` are all spans of the subscriptions.
    """
    own = facts.subscriptions.filter(pl.col("discount_key").is_not_null()).select(
        "subscription_key",
        "discount_key",
        agreed_from=pl.lit(None, dtype=pl.Date),
        agreed_until=pl.lit(None, dtype=pl.Date),
    )
    further = facts.subscription_discounts.rename(
        {"valid_from": "agreed_from", "valid_until": "agreed_until"}
    )
    return (
        _with_first_number(pl.concat([own, further]), spans)
        .join(discount_terms(facts.catalog), on="discount_key", how="inner", validate="m:1")
        .with_columns(agreed_until=pl.min_horizontal("agreed_until", "until"))
        .sort("subscription_key", "priority", "discount_key", "agreed_from", nulls_last=False)
        .with_columns(
            pl.int_range(1, pl.len() + 1).over("subscription_key").alias(_RANK),
            repetition=pl.int_range(1, pl.len() + 1).over("subscription_key", "discount_key"),
        )
    )


def _with_first_number(agreed: pl.DataFrame, spans: pl.DataFrame) -> pl.DataFrame:
    """Number of the billing period each discount was agreed in, by the plan of that day."""
    anchor, agreed_from = pl.col("anchor_on"), pl.col("agreed_from")
    cycles = spans.select(
        "subscription_key", "span_from", "anchor_on", "charged_from", "step_months", "step_days"
    )
    in_force = agreed.sort(pl.col("agreed_from").fill_null(dt.date.min)).join_asof(
        cycles.sort("span_from"),
        left_on="agreed_from",
        right_on="span_from",
        by="subscription_key",
        strategy="backward",
        check_sortedness=False,  # both sides are sorted by day
    )
    number = period_index(anchor, agreed_from, STEP) - period_index(
        anchor, pl.col("charged_from"), STEP
    )
    # Agreed from the start, or before it: from the first period that is charged.
    return in_force.with_columns(first_number=number.clip(lower_bound=0).fill_null(0)).select(
        *agreed.columns, "first_number"
    )


def discount_charges(charged: pl.DataFrame, agreed: pl.DataFrame) -> pl.DataFrame:
    """Charge a negative amount for every charge that a discount reduces.

    Each discount row stands beside the charge it reduces: same service, same bill day, same tax
    category; its key names both. What discounts take together is never more than the charge.

    Shape: one CHARGED row per discount and reduced charge; `counts_as` is the kind it reduces.
    """
    left = charged.filter(pl.col("amount") > 0).join(
        agreed.select("subscription_key").unique(), on="subscription_key", how="semi"
    )
    left = left.with_columns(full_amount=pl.col("amount"))
    taken = [CHARGED.empty()]
    for rank in agreed.get_column(_RANK).unique().sort():
        reductions = _reductions(left, agreed.filter(pl.col(_RANK) == rank))
        taken.append(_discount_rows(reductions))
        left = (
            left.join(
                reductions.select("charge_key", "taken"),
                on="charge_key",
                how="left",
                validate="1:1",
            )
            # A charge this discount does not reduce keeps what was left of it.
            .with_columns(amount=pl.col("amount") - pl.col("taken").fill_null(0))
            .drop("taken")
        )
    return pl.concat(taken)


def _reductions(left: pl.DataFrame, agreed: pl.DataFrame) -> pl.DataFrame:
    """What one discount per subscription takes of each charge in its scope and time."""
    claims = left.join(agreed, on="subscription_key", how="inner", validate="m:1").filter(
        pl.col("products").is_null() | pl.col("products").list.contains(pl.col("product_key")),
        pl.col("periods").is_null()
        | (pl.col("period_number") < pl.col("first_number") + pl.col("periods")),
    )
    claimed = pl.when(pl.col("percent_off").is_null()).then(_amount_off()).otherwise(_percent_off())
    return (
        claims.sort("bill_from", "charge_key")
        .with_columns(taken=pl.min_horizontal(claimed, "amount"))
        .filter(pl.col("taken") > 0)
    )


def _percent_off() -> pl.Expr:
    """The percentage of the full charge, for the days of its service it was agreed for."""
    agreed_days = days_between(
        pl.max_horizontal("service_from", "agreed_from"),
        pl.min_horizontal("service_until", "agreed_until"),
    ).clip(lower_bound=0)
    days = days_between(pl.col("service_from"), pl.col("service_until"))
    return exact_product(
        pl.col("full_amount"), pl.col("percent_off"), agreed_days, over=days * _PER_CENT
    )


def _amount_off() -> pl.Expr:
    """The amount, once per period: from the charges billed first, as far as they reach.

    It is not prorated: a charge takes part if the discount holds on the first day of service.
    """
    begins = pl.col("service_from")
    holds = (
        (pl.col("agreed_from").is_null() | (begins >= pl.col("agreed_from")))
        & (pl.col("agreed_until").is_null() | (begins < pl.col("agreed_until")))
        & (pl.col("period_number") >= 0)
    )
    room = pl.when(holds).then("amount").otherwise(0)
    before = (room.cum_sum() - room).over("subscription_key", "period_number")
    return pl.min_horizontal(room, (pl.col("amount_off") - before).clip(lower_bound=0))


def _discount_rows(reductions: pl.DataFrame) -> pl.DataFrame:
    amount = -pl.col("taken")
    # One discount agreed for two spans may reduce a charge twice; both rows need a key.
    repeated = pl.when(pl.col("repetition") > 1).then(
        pl.format("{}.{}", "discount_key", "repetition")
    )
    rows = reductions.with_columns(
        product_key=pl.col("discount_product"),
        price_key=pl.col("discount_key"),
        key_part=pl.concat_str(pl.coalesce(repeated, "discount_key"), "price_key", separator=":"),
        description=pl.concat_str("discount_name", "description", separator=": "),
        quantity=pl.lit(1).cast(QUANTITY),
        unit=pl.lit("piece"),
        unit_price=amount,
        amount=amount,
        events=NO_EVENTS,
    )
    return charge_rows(rows, "discount", key_part="key_part", counts_as=pl.col("counts_as"))
