"""The one resource assets ask for: the installation, built when a run starts."""

from functools import cached_property

import dagster as dg

from billing_pipeline.orchestration.installation import Installation


class BillingInstallation(dg.ConfigurableResource["BillingInstallation"]):
    """Books, lake, landing zone and documents of this installation, from the environment."""

    @cached_property
    def installation(self) -> Installation:
        """The installation; the embedded Postgres starts at first use."""
        return Installation.from_environment()
