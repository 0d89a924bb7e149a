"""What an external tax engine must be: a function that decides the tax of lines.

A package registers one with an entry point in the group `billing_pipeline.tax_engines`; a tenant
names it as `tax_engine`. The engine gets every line to be billed with its payer and gives the same
lines in the same order with the columns `tax.CHOSEN`; a line without `tax_code` is held.
"""

from collections.abc import Callable

import polars as pl

from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.invoicing.tax import CHOSEN, PARTS, TAX_RATE

GROUP = "billing_pipeline.tax_engines"

TaxEngine = Callable[[pl.DataFrame, Tenant], pl.DataFrame]

_TYPES = {
    "tax_code": pl.String(),
    "tax_rate": TAX_RATE,
    "tax_label": pl.String(),
    "exemption": pl.String(),
    "is_included": pl.Boolean(),
    "parts": PARTS,
}


class TaxEngineBroke(Exception):
    """An engine did not give back what it was asked for; nothing was issued."""


def decided_by(engine: TaxEngine, lines: pl.DataFrame, tenant: Tenant) -> pl.DataFrame:
    """The lines with what the engine decided.

    Raises: TaxEngineBroke if lines are missing, added or changed, or a column is of another type.
    """
    decided = engine(lines, tenant)
    wrong = [name for name in CHOSEN if decided.schema.get(name) != _TYPES[name]]
    if wrong:
        raise TaxEngineBroke(f"{tenant.tax_engine}: missing or of another type: {wrong}")
    if not decided.select(lines.columns).equals(lines):
        raise TaxEngineBroke(f"{tenant.tax_engine}: gave other lines back than it was given")
    return decided.select(*lines.columns, *CHOSEN)
