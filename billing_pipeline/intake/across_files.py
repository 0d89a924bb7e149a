"""Mistakes that show only when several files of a tenant folder are read together."""

from typing import NamedTuple

import polars as pl

from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.check import check_catalog
from billing_pipeline.catalog.check_plans import check_rollover
from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.intake.account_types import check_account_types
from billing_pipeline.intake.control_settings import check_controls
from billing_pipeline.intake.mandates import check_mandates
from billing_pipeline.intake.price_models import check_price_models
from billing_pipeline.intake.product_categories import check_categories
from billing_pipeline.intake.subscription_terms import ReadTerms, check_terms
from billing_pipeline.intake.vat_numbers import check_vat_numbers
from billing_pipeline.vocabulary.problems import Problem


class Customers(NamedTuple):
    """The tables of a folder, each with ROW; `card_prices` with what is inherited."""

    accounts: pl.DataFrame
    subscriptions: pl.DataFrame
    service_identifiers: pl.DataFrame
    card_prices: pl.DataFrame
    terms: ReadTerms


def check_across_files(
    tenant: Tenant, own: Catalog, sold: Catalog, read: Customers, *, tenant_file: str
) -> list[Problem]:
    """Every mistake of files that are readable by themselves.

    `own` is what the tenant's files say, `sold` has what is inherited too.
    """
    return [
        *check_catalog(
            sold,
            accounts=read.accounts,
            subscriptions=read.subscriptions,
            service_identifiers=read.service_identifiers,
            rate_card_prices=read.card_prices,
        ),
        *check_terms(read.terms, sold, read.subscriptions),
        *check_rollover(sold, tenant.look_back_periods),
        *check_account_types(tenant, sold, read.accounts, read.subscriptions),
        *check_categories(own, sold, tenant),
        *check_price_models(sold),
        *check_vat_numbers(tenant, read.accounts),
        *check_mandates(tenant, read.accounts),
        *check_controls(tenant, tenant_file),
    ]
