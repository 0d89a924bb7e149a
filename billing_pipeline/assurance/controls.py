"""Controls over computed charges: nothing twice.

What was posted, invoiced and booked is compared by the queries of `sql/checks`.
"""

import polars as pl

from billing_pipeline.assurance.findings import all_findings, findings


def charges_not_twice(charges: pl.DataFrame) -> pl.DataFrame:
    """No charge stands twice, and no price charges the same service day twice.

    Args:
        charges: CHARGES; corrections are postings of a charge, not charges.
    """
    what = ["account_key", "subscription_key", "price_key", "charge_kind"]
    repeated = charges.filter(pl.col("charge_key").is_duplicated()).unique("charge_key")
    periods = charges.unique("charge_key").sort("service_from", "charge_key")
    last_until = pl.col("service_until").cum_max().shift().over(what)
    overlapping = periods.filter(
        pl.col("charge_kind").is_in(["recurring", "usage", "minimum"]),
        pl.col("service_from") < last_until,
    )
    advice = pl.lit(" Hold the account's documents and look at its subscriptions and plans.")
    return all_findings(
        [
            findings(
                repeated,
                control="charge_once",
                severity="block",
                subject=pl.col("charge_key"),
                message=pl.lit("stands more than once among the charges.") + advice,
            ),
            findings(
                overlapping,
                control="service_period_once",
                severity="block",
                subject=pl.col("charge_key"),
                message=pl.format(
                    "{} is charged again from {}, within a period charged before.{}",
                    "price_key",
                    "service_from",
                    advice,
                ),
            ),
        ]
    )
