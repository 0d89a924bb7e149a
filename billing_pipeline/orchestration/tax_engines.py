"""External tax engines: found by the name a tenant gives."""

from importlib.metadata import entry_points

from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.invoicing.tax_engine import GROUP, TaxEngine


class UnknownTaxEngine(Exception):
    """A tenant names a tax engine that no installed package brings."""


def engine_of(tenant: Tenant) -> TaxEngine | None:
    """The engine a tenant names; None where `taxes.yaml` decides.

    Raises: UnknownTaxEngine with the names there are.
    """
    if tenant.tax_engine is None:
        return None
    found = {point.name: point for point in entry_points(group=GROUP)}
    if tenant.tax_engine not in found:
        known = ", ".join(sorted(found)) or "none is installed"
        raise UnknownTaxEngine(
            f"{tenant.key}: no tax engine {tenant.tax_engine!r}; install the package that brings "
            f"it, or take `tax_engine` out of tenant.yaml. Known: {known}"
        )
    engine: TaxEngine = found[tenant.tax_engine].load()
    return engine
