"""Account types of a tenant: the terms they bring, and what they ask of accounts and plans."""

from collections.abc import Iterator

import polars as pl

from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.customers.tenant import AccountType, Tenant
from billing_pipeline.vocabulary.problems import Problem, problems_in

_ACCOUNTS, _SUBSCRIPTIONS = "accounts.csv", "subscriptions.csv"
_TYPE = pl.col("account_type")


def payment_terms(tenant: Tenant) -> pl.Expr:
    """Days an account has to pay where it says nothing: its type's, else the tenant's."""
    of_types = {
        one.key: one.payment_terms_days
        for one in tenant.account_types
        if one.payment_terms_days is not None
    }
    own = pl.lit(tenant.payment_terms_days, dtype=pl.Int64)
    if not of_types:
        return own
    return _TYPE.replace_strict(of_types, default=own, return_dtype=pl.Int64)


def payment_method(tenant: Tenant) -> pl.Expr:
    """How an account pays where it says nothing: the first way of its type, if that names any."""
    first = {one.key: one.payment_methods[0] for one in tenant.account_types if one.payment_methods}
    if not first:
        return pl.lit(None, dtype=pl.String)
    return _TYPE.replace_strict(first, default=None, return_dtype=pl.String)


def check_account_types(
    tenant: Tenant, catalog: Catalog, accounts: pl.DataFrame, subscriptions: pl.DataFrame
) -> list[Problem]:
    """Unknown types, cells a type asks for, plans whose cycle it does not allow.

    Shape: ACCOUNTS and SUBSCRIPTIONS with ROW. A tenant that declares no types asks nothing.
    """
    if not tenant.account_types:
        return []
    keys = [one.key for one in tenant.account_types]
    unknown = pl.format("'{}' is none of {}", "account_type", pl.lit(", ".join(keys)))
    sold = subscriptions.join(
        accounts.select("account_key", "account_type"), on="account_key", how="left"
    )
    problems = problems_in(accounts, _ACCOUNTS, "account_type", ~_TYPE.is_in(keys), unknown)
    for one in tenant.account_types:
        problems += _missing_cells(one, accounts)
        problems += _other_methods(one, accounts)
        problems += _other_cycles(one, catalog, sold)
    return problems


def _missing_cells(one: AccountType, accounts: pl.DataFrame) -> Iterator[Problem]:
    for field in one.required:
        message = pl.lit(f"is empty; every account of type {one.key} needs one")
        is_missing = (pl.col("account_type") == one.key) & pl.col(field).is_null()
        yield from problems_in(accounts, _ACCOUNTS, field, is_missing, message)


def _other_methods(one: AccountType, accounts: pl.DataFrame) -> list[Problem]:
    if not one.payment_methods:
        return []
    is_other = (pl.col("account_type") == one.key) & ~pl.col("payment_method").is_in(
        list(one.payment_methods)
    )
    message = pl.format(
        "accounts of type {} pay by {}, not by {}",
        pl.lit(one.key),
        pl.lit(" or ".join(one.payment_methods)),
        "payment_method",
    )
    return problems_in(accounts, _ACCOUNTS, "payment_method", is_other, message)


def _other_cycles(one: AccountType, catalog: Catalog, sold: pl.DataFrame) -> list[Problem]:
    if not one.cycles:
        return []
    others = [plan.key for plan in catalog.plans if plan.cycle.interval not in one.cycles]
    is_other = (pl.col("account_type") == one.key) & pl.col("plan_key").is_in(others)
    message = pl.format(
        "plan {} is not billed by {}, as accounts of type {} are",
        "plan_key",
        pl.lit(" or ".join(one.cycles)),
        pl.lit(one.key),
    )
    return problems_in(sold, _SUBSCRIPTIONS, "plan_key", is_other, message)
