"""Checks of accounts and subscriptions against each other and the catalog."""

import polars as pl

from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.vocabulary.problems import ROW, Problem, problems_in

_ACCOUNTS, _SUBSCRIPTIONS = "accounts.csv", "subscriptions.csv"


def check_accounts(accounts: pl.DataFrame) -> list[Problem]:
    """Repeated keys, payers and parents that are not there, and spans that are none.

    Shape: ACCOUNTS with ROW.
    """
    payers = accounts.select(
        pl.col("account_key").alias("payer_key"),
        pl.col("payer_key").alias("payer_of_payer"),
        pl.col("currency").alias("payer_currency"),
    ).unique("payer_key", keep="first", maintain_order=True)
    with_payer = accounts.join(
        payers, on="payer_key", how="left", validate="m:1", maintain_order="left"
    )
    payer, their_payer = pl.col("payer_key"), pl.col("payer_of_payer")
    return [
        *_repeated(accounts, _ACCOUNTS, "account_key"),
        *_unknown(with_payer, _ACCOUNTS, "payer_key", accounts["account_key"], "account"),
        *_unknown(accounts, _ACCOUNTS, "parent_key", accounts["account_key"], "account"),
        *problems_in(
            with_payer,
            _ACCOUNTS,
            "payer_key",
            their_payer != payer,
            pl.format("{} is itself paid by {}; name the account that pays", payer, their_payer),
        ),
        *problems_in(
            with_payer,
            _ACCOUNTS,
            "currency",
            pl.col("payer_currency") != pl.col("currency"),
            pl.format("is {}, but its payer's is {}", pl.col("currency"), pl.col("payer_currency")),
        ),
        *_no_span(accounts, _ACCOUNTS, "opened_on", "closed_on"),
    ]


def check_subscriptions(
    catalog: Catalog, subscriptions: pl.DataFrame, accounts: pl.DataFrame
) -> list[Problem]:
    """Repeated keys, unknown accounts, plans and discounts, currencies that differ.

    Shape: SUBSCRIPTIONS and ACCOUNTS with ROW.
    """
    plans = pl.DataFrame(
        {
            "plan_key": [plan.key for plan in catalog.plans],
            "plan_currency": [list(plan.currencies) for plan in catalog.plans],
        },
        schema={"plan_key": pl.String, "plan_currency": pl.List(pl.String)},
    ).unique("plan_key", keep="first", maintain_order=True)
    owners = accounts.select(
        "account_key",
        pl.col("currency").alias("account_currency"),
        pl.col("opened_on"),
    ).unique("account_key", keep="first", maintain_order=True)
    known = subscriptions.join(plans, on="plan_key", how="left", validate="m:1").join(
        owners, on="account_key", how="left", validate="m:1", maintain_order="left"
    )
    discounts = pl.Series([discount.key for discount in catalog.discounts], dtype=pl.String)
    return [
        *_repeated(subscriptions, _SUBSCRIPTIONS, "subscription_key"),
        *_unknown(known, _SUBSCRIPTIONS, "account_key", accounts["account_key"], "account"),
        *_unknown(known, _SUBSCRIPTIONS, "plan_key", plans["plan_key"], "plan"),
        *_unknown(known, _SUBSCRIPTIONS, "discount_key", discounts, "discount"),
        *problems_in(
            known,
            _SUBSCRIPTIONS,
            "plan_key",
            ~pl.col("plan_currency").list.contains(pl.col("account_currency")),
            pl.format(
                "plan {} is in {}, but account {} is billed in {}",
                "plan_key",
                pl.col("plan_currency").list.join(", "),
                "account_key",
                "account_currency",
            ),
        ),
        *problems_in(
            known,
            _SUBSCRIPTIONS,
            "started_on",
            pl.col("started_on") < pl.col("opened_on"),
            pl.format("is before account {} was opened, {}", "account_key", "opened_on"),
        ),
        *_below_zero(known, "quantity", "end the subscription instead"),
        *_below_zero(known, "payment_terms_days", "zero is due on the day of issue"),
        *_no_span(known, _SUBSCRIPTIONS, "started_on", "ended_on"),
    ]


def _repeated(frame: pl.DataFrame, file: str, key: str) -> list[Problem]:
    first_row = frame.with_columns(first_row=pl.col(ROW).first().over(key))
    message = pl.format("'{}' stands in row {} already; keys are unique", key, "first_row")
    return problems_in(first_row, file, key, pl.col("first_row") != pl.col(ROW), message)


def _unknown(
    frame: pl.DataFrame, file: str, field: str, known: pl.Series, noun: str
) -> list[Problem]:
    message = pl.format("no {} '{}'; add it or correct the key", pl.lit(noun), pl.col(field))
    return problems_in(frame, file, field, ~pl.col(field).is_in(known.implode()), message)


def _below_zero(frame: pl.DataFrame, field: str, advice: str) -> list[Problem]:
    message = pl.lit(f"is below zero; {advice}")
    return problems_in(frame, _SUBSCRIPTIONS, field, pl.col(field) < 0, message)


def _no_span(frame: pl.DataFrame, file: str, start: str, end: str) -> list[Problem]:
    message = pl.lit(f"must be after {start}; it is the first day, or instant, no longer covered")
    return problems_in(frame, file, end, pl.col(end) <= pl.col(start), message)
