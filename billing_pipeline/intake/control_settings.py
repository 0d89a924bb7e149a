"""What a tenant wants otherwise of controls: only of those there are."""

from billing_pipeline.assurance.run import wanted_controls
from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.intake.model_problems import did_you_mean
from billing_pipeline.vocabulary.problems import Problem


def check_controls(tenant: Tenant, file: str) -> list[Problem]:
    """Settings of controls that nobody knows: they would stop every assurance run."""
    known = wanted_controls({})
    return [
        Problem(
            file, None, f"controls/{name}", f"there is no such control{did_you_mean(name, known)}"
        )
        for name in tenant.controls
        if name not in known
    ]
