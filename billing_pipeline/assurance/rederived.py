"""Totals derived a second time, in SQL over lake and books, with nothing of the stages' own code.

A mistake the stages and the other controls share would still show here.
"""

import polars as pl

from billing_pipeline.assurance.findings import account_findings, all_findings, findings
from billing_pipeline.billing.summed import SUMMED_MODELS
from billing_pipeline.billing.usage_prices import pooled_prices, usage_prices
from billing_pipeline.catalog.catalog import Catalog

_CONTROL = "rederived_totals"

# Rated amounts of a charge's subscription, price and days against what it charges. Event amounts
# were rounded to ten decimals each, so sums may differ in the last ones.
_USAGE = """
select charges.account_key, charges.charge_key, charges.amount as charged,
    sum(usage.amount) as rated
from charges
inner join usage
    on charges.subscription_key = usage.subscription_key and charges.price_key = usage.price_key
where charges.charge_kind = 'usage'
    and usage.local_date >= charges.service_from
    and usage.local_date < charges.service_until
group by charges.account_key, charges.charge_key, charges.amount
"""

# Everything invoiced per currency against everything booked for it, by role.
_BOOKS = """
select invoiced.currency, invoiced.total_minor, booked.receivable_minor,
    booked.result_minor, booked.tax_minor, invoiced.net_minor, invoiced.tax_minor as taxed_minor
from (
    select currency, sum(net_minor) as net_minor, sum(tax_minor) as tax_minor,
        sum(total_minor) as total_minor
    from documents group by currency
) as invoiced
left join (
    select currency,
        sum(case when role = 'receivable' then amount_minor else 0 end) as receivable_minor,
        -sum(case when role in ('revenue', 'deferred_revenue', 'discount')
            then amount_minor else 0 end) as result_minor,
        -sum(case when role = 'tax' then amount_minor else 0 end) as tax_minor
    from journal where posting_rule in ('invoice', 'credit_note') group by currency
) as booked on invoiced.currency = booked.currency
"""


def rederived_usage(
    charges: pl.DataFrame, usage_per_day: pl.DataFrame, catalog: Catalog
) -> pl.DataFrame:
    """Usage charges that are not the sum of their events: ACCOUNT_FINDINGS, blocking.

    Only prices whose events have a price each and no included units; the others have controls of
    their own.

    Args:
        charges: CHARGES as computed.
        usage_per_day: USAGE_PER_DAY of their service.
        catalog: which prices those are.
    """
    prices = usage_prices(catalog)
    others = pl.concat(
        [
            prices.filter(~pl.col("model").is_in(SUMMED_MODELS)).select("price_key"),
            pooled_prices(catalog).select("price_key"),
        ]
    )
    summed = charges.join(others, on="price_key", how="anti")
    context = pl.SQLContext(charges=summed, usage=usage_per_day)
    judged = context.execute(_USAGE, eager=True)
    tolerated = pl.lit("0.000001").cast(pl.Decimal(38, 10))
    wrong = judged.filter((pl.col("charged") - pl.col("rated")).abs() > tolerated)
    return account_findings(
        wrong,
        control=_CONTROL,
        severity="block",
        subject=pl.col("charge_key"),
        message=pl.format(
            "charges {}, its rated events sum to {}. Rate its days and compute the bill day's "
            "charges again; if the gap stays, look at the files of the lake.",
            "charged",
            "rated",
        ),
    )


def rederived_books(documents: pl.DataFrame, journal: pl.DataFrame) -> pl.DataFrame:
    """Currencies in which documents and journal, each summed as a whole, differ: FINDINGS.

    Args:
        documents: INVOICES.
        journal: JOURNAL.
    """
    context = pl.SQLContext(documents=documents, journal=journal)
    judged = context.execute(_BOOKS, eager=True)
    agrees = (
        pl.col("total_minor").eq_missing(pl.col("receivable_minor"))
        & pl.col("net_minor").eq_missing(pl.col("result_minor"))
        & pl.col("taxed_minor").eq_missing(pl.col("tax_minor"))
    )
    is_money = pl.col("total_minor") != 0
    return all_findings(
        [
            findings(
                judged.filter(~agrees, is_money | pl.col("receivable_minor").is_not_null()),
                control=_CONTROL,
                severity="block",
                subject=pl.col("currency"),
                message=pl.format(
                    "all documents come to {} (net {}), the journal to {} (net {}). A row was "
                    "changed by hand: the findings of single documents say which.",
                    "total_minor",
                    "net_minor",
                    pl.col("receivable_minor").cast(pl.String).fill_null("nothing"),
                    pl.col("result_minor").cast(pl.String).fill_null("nothing"),
                ),
            )
        ]
    )
