"""Checks of what changes about subscriptions: against the subscriptions and the catalog."""

import polars as pl

from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.prices import FlatPrice
from billing_pipeline.vocabulary.problems import ROW, Problem, problems_in

CHANGES_FILE = "subscription_changes.csv"
DISCOUNTS_FILE = "subscription_discounts.csv"
AGREED_PRICES_FILE = "agreed_prices.csv"

STATUSES = ["active", "suspended", "cancelled"]
MOMENTS = ["on_the_day", "period_end"]
_WAITS = (pl.col("takes_effect") == "period_end").fill_null(value=False)
_NOTHING = ["plan_key", "quantity", "status"]


def check_changes(
    catalog: Catalog, changes: pl.DataFrame, subscriptions: pl.DataFrame
) -> list[Problem]:
    """Unknown keys and words, two rows of one day, a plan in another currency, changes of nothing.

    Shape: SUBSCRIPTION_CHANGES with `takes_effect` and ROW, and SUBSCRIPTIONS.
    """
    file = CHANGES_FILE
    plans = _plans(catalog)
    known = _with_currencies(changes, subscriptions, plans)
    first_row = pl.col(ROW).first().over("subscription_key", "effective_on", "takes_effect")
    return [
        *_unknown(known, file, "subscription_key", subscriptions["subscription_key"]),
        *_unknown(known, file, "plan_key", plans["plan_key"]),
        *_word(known, file, "status", STATUSES),
        *_word(known, file, "takes_effect", MOMENTS),
        *problems_in(
            known.with_columns(first_row=first_row),
            file,
            "effective_on",
            pl.col("first_row") != pl.col(ROW),
            pl.format("row {} changes it on this day already; write one row", "first_row"),
        ),
        *problems_in(
            known,
            file,
            "plan_key",
            pl.col("plan_currency") != pl.col("own_currency"),
            pl.format(
                "plan {} is in {}, the subscription in {}",
                "plan_key",
                "plan_currency",
                "own_currency",
            ),
        ),
        *problems_in(
            known,
            file,
            "quantity",
            pl.col("quantity") < 0,
            pl.lit("is below zero; cancel the subscription instead"),
        ),
        *problems_in(
            known,
            file,
            "status",
            pl.all_horizontal(pl.col(_NOTHING).is_null()),
            pl.lit("nothing changes; give a plan_key, a quantity or a status"),
        ),
    ]


def check_discounts(
    catalog: Catalog, discounts: pl.DataFrame, subscriptions: pl.DataFrame
) -> list[Problem]:
    """Unknown keys, spans that are none, a discount agreed twice for one day.

    Shape: SUBSCRIPTION_DISCOUNTS with ROW, and SUBSCRIPTIONS.
    """
    known = pl.Series([discount.key for discount in catalog.discounts], dtype=pl.String)
    return [
        *_unknown(discounts, DISCOUNTS_FILE, "subscription_key", subscriptions["subscription_key"]),
        *_unknown(discounts, DISCOUNTS_FILE, "discount_key", known),
        *_spans(discounts, DISCOUNTS_FILE, "discount_key"),
    ]


def check_agreed_prices(
    catalog: Catalog, agreed: pl.DataFrame, subscriptions: pl.DataFrame
) -> list[Problem]:
    """Unknown keys, prices that are not flat, spans that are none or overlap, also in prices.yaml.

    Shape: AGREED_PRICES with `takes_effect` and ROW, and SUBSCRIPTIONS.
    """
    flat = sorted(
        {
            price.key
            for plan in catalog.plans
            for price in plan.prices
            if isinstance(price, FlatPrice)
        }
    )
    file = AGREED_PRICES_FILE
    return [
        *_agreed_twice(catalog, agreed),
        *_unknown(agreed, file, "subscription_key", subscriptions["subscription_key"]),
        *problems_in(
            agreed,
            file,
            "price_key",
            ~pl.col("price_key").is_in(flat),
            pl.format("no flat price '{}' in plans.yaml; only those can be agreed", "price_key"),
        ),
        *problems_in(agreed, file, "amount", pl.col("amount") < 0, pl.lit("is below zero")),
        *_word(agreed, file, "takes_effect", MOMENTS),
        *problems_in(
            agreed,
            file,
            "valid_until",
            pl.col("valid_until").is_not_null() & _WAITS,
            pl.lit("a price that waits for the period's end has none; end it by a row of its own"),
        ),
        *_spans(agreed, file, "price_key"),
    ]


def _agreed_twice(catalog: Catalog, agreed: pl.DataFrame) -> list[Problem]:
    """Prices and days that `prices.yaml` agrees with the same subscription."""
    rows = [
        (one.subscription, one.replaces, one.key, one.valid_from, one.valid_until)
        for one in catalog.negotiated
        if one.subscription is not None
    ]
    told = pl.DataFrame(
        rows,
        schema={
            "subscription_key": pl.String,
            "price_key": pl.String,
            "agreement": pl.String,
            "agreed_from": pl.Date,
            "agreed_until": pl.Date,
        },
        orient="row",
    )
    both = agreed.join(told, on=["subscription_key", "price_key"], how="inner")
    meets = (pl.col("agreed_until").is_null() | (pl.col("valid_from") < pl.col("agreed_until"))) & (
        pl.col("valid_until").is_null() | (pl.col("agreed_from") < pl.col("valid_until"))
    )
    message = pl.format(
        "prices.yaml agrees '{}' with this subscription for the same days; write it in one of them",
        "agreement",
    )
    return problems_in(both, AGREED_PRICES_FILE, "price_key", meets, message)


def _spans(rows: pl.DataFrame, file: str, what: str) -> list[Problem]:
    """Ends that are not after their start, and spans of one thing that overlap."""
    key = ["subscription_key", what]
    ordered = rows.sort(*key, "valid_from", ROW).with_columns(
        row_before=pl.col(ROW).shift(1).over(key),
        until_before=pl.col("valid_until").shift(1).over(key),
    )
    is_overlap = pl.col("row_before").is_not_null() & (
        pl.col("until_before").is_null() | (pl.col("until_before") > pl.col("valid_from"))
    )
    if "takes_effect" in rows.columns:
        # One that waits ends the one before it, and is ended by the one after it.
        is_overlap &= ~(_WAITS | _WAITS.shift(1).over(key).fill_null(value=False))
    return [
        *problems_in(
            rows,
            file,
            "valid_until",
            pl.col("valid_until") <= pl.col("valid_from"),
            pl.lit("must be after valid_from; it is the first day no longer covered"),
        ),
        *problems_in(
            ordered,
            file,
            "valid_from",
            is_overlap,
            pl.format("row {} holds at the same time; end it with valid_until", "row_before"),
        ),
    ]


def _with_currencies(
    changes: pl.DataFrame, subscriptions: pl.DataFrame, plans: pl.DataFrame
) -> pl.DataFrame:
    """Changes beside the currency of the new plan and of the subscription's own."""
    own = subscriptions.select("subscription_key", own_plan="plan_key").unique(
        "subscription_key", keep="first", maintain_order=True
    )
    return (
        changes.join(own, on="subscription_key", how="left", maintain_order="left")
        .join(plans, on="plan_key", how="left", maintain_order="left")
        .join(
            plans.rename({"plan_key": "own_plan", "plan_currency": "own_currency"}),
            on="own_plan",
            how="left",
            maintain_order="left",
        )
    )


def _plans(catalog: Catalog) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "plan_key": [plan.key for plan in catalog.plans],
            "plan_currency": [plan.currency for plan in catalog.plans],
        },
        schema={"plan_key": pl.String, "plan_currency": pl.String},
    ).unique("plan_key", keep="first", maintain_order=True)


def _unknown(frame: pl.DataFrame, file: str, field: str, known: pl.Series) -> list[Problem]:
    noun = field.removesuffix("_key")
    message = pl.format("no {} '{}'; add it or correct the key", pl.lit(noun), pl.col(field))
    return problems_in(frame, file, field, ~pl.col(field).is_in(known.implode()), message)


def _word(frame: pl.DataFrame, file: str, field: str, words: list[str]) -> list[Problem]:
    message = pl.format("'{}' is not one of {}", pl.col(field), pl.lit(", ".join(words)))
    return problems_in(frame, file, field, ~pl.col(field).is_in(words), message)
