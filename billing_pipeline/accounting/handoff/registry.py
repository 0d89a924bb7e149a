"""Hand-off formats by name: our own, and those that other packages register.

A package adds a format with an entry point in the group `billing_pipeline.handoff_formats` that
names a `HandoffFormat`. Our own are listed here, so that they work in a bare checkout too.
"""

from functools import cache
from importlib.metadata import entry_points

from billing_pipeline.accounting.handoff import (
    beancount,
    business_central_journal,
    datev,
    fec,
    journal_csv,
    journal_json,
    journal_parquet,
    netsuite_journal,
    quickbooks_iif,
    quickbooks_journal,
    sage50_invoices,
    sage_intacct_journal,
    sap_idoc,
    sap_journal_upload,
    xero_manual_journal,
    xero_sales_invoices,
)
from billing_pipeline.accounting.handoff.format import HandoffFormat

GROUP = "billing_pipeline.handoff_formats"

OWN_FORMATS = {
    module.FORMAT.name: module.FORMAT
    for module in (
        beancount,
        business_central_journal,
        datev,
        fec,
        journal_csv,
        journal_json,
        journal_parquet,
        netsuite_journal,
        quickbooks_iif,
        quickbooks_journal,
        sage50_invoices,
        sage_intacct_journal,
        sap_idoc,
        sap_journal_upload,
        xero_manual_journal,
        xero_sales_invoices,
    )
}


class UnknownFormat(Exception):
    """No hand-off format has this name."""


@cache
def handoff_formats() -> dict[str, HandoffFormat]:
    """All formats by name, sorted."""
    registered = {point.name: point.load() for point in entry_points(group=GROUP)}
    return dict(sorted({**registered, **OWN_FORMATS}.items()))


def handoff_format(name: str) -> HandoffFormat:
    """The format of this name.

    Raises: UnknownFormat with the names there are.
    """
    formats = handoff_formats()
    if name not in formats:
        raise UnknownFormat(f"no hand-off format {name!r}; there are: {', '.join(formats)}")
    return formats[name]
