"""The one resource assets ask for: the installation, built when a run starts."""

from functools import cached_property

import dagster as dg

from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.instance import keep_connections


class BillingInstallation(dg.ConfigurableResource["BillingInstallation"]):
    """Books, lake, landing zone and documents of this installation, from the environment."""

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Let the run write its events over connections it keeps."""
        if context.instance:
            keep_connections(context.instance)

    @cached_property
    def installation(self) -> Installation:
        """The installation; the embedded Postgres starts at first use."""
        return Installation.from_environment()
