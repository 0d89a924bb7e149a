"""Checks across files: what no single file or row can know about itself."""

from collections.abc import Sequence

import polars as pl

from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.check_agreements import check_agreements
from billing_pipeline.catalog.check_customers import (
    check_accounts,
    check_subscriptions,
)
from billing_pipeline.catalog.check_identifiers import check_service_identifiers
from billing_pipeline.catalog.check_plans import check_plans
from billing_pipeline.catalog.check_rate_cards import check_rate_cards
from billing_pipeline.vocabulary.problems import Problem


def check_catalog(
    catalog: Catalog,
    *,
    accounts: pl.DataFrame,
    subscriptions: pl.DataFrame,
    service_identifiers: pl.DataFrame,
    rate_card_prices: pl.DataFrame,
) -> list[Problem]:
    """Every mistake that shows only when the files are read together.

    Shape: frames are ACCOUNTS, SUBSCRIPTIONS, SERVICE_IDENTIFIERS and RATE_CARD_PRICES, each
    with a ROW column. A problem in a YAML file has its path as field and no row: the reader
    of the file knows the line.
    """
    found: Sequence[list[Problem]] = (
        check_plans(catalog),
        check_rate_cards(catalog, rate_card_prices),
        check_accounts(accounts),
        check_subscriptions(catalog, subscriptions, accounts),
        check_service_identifiers(service_identifiers, subscriptions),
    )
    if any(found):
        return [problem for problems in found for problem in problems]
    return check_agreements(catalog, accounts, subscriptions)
