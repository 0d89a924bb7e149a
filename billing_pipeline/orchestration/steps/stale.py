"""Compute every stale day at once: what sensors ask for, for commands and simulations."""

import datetime as dt

from billing_pipeline.books import due
from billing_pipeline.books.scope import installation_scope
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.mediate import mediate_owner_day
from billing_pipeline.orchestration.steps.rate import TenantRater


def compute_stale_days(installation: Installation, now: dt.datetime) -> None:
    """Mediate, then rate, every day that is not what it should be."""
    with installation_scope(installation.engine) as connection:
        stale = due.stale_usage_days(connection).select("tenant_key", "usage_day").rows()
    for owner_key, day in stale:
        mediate_owner_day(installation, owner_key, day, now=now)
    with installation_scope(installation.engine) as connection:
        unrated = due.stale_rating_days(connection).select("tenant_key", "usage_day").rows()
    rater = TenantRater(installation, now)
    for tenant_key, day in sorted(unrated):
        rater.rate_day(tenant_key, day)
