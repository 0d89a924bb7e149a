"""QuickBooks Desktop: general journal entries as IIF.

Tab-separated; the first posting of an entry is TRNS, the others SPL, then ENDTRNS. Debits
positive, credits negative, summing to zero. Accounts are found by name; the receivable row names
its customer. QuickBooks checks nothing on import and says nothing: read the journal afterwards.
Source: Intuit, "IIF Overview: import kit" (headers, TRNSTYPE GENERAL JOURNAL).
"""

import polars as pl

from billing_pipeline.accounting.handoff.batch import HandoffBatch
from billing_pipeline.accounting.handoff.fields import (
    decimal_text,
    mapped_account,
    mapped_customer,
    refuse_other_currencies,
)
from billing_pipeline.accounting.handoff.format import HandoffFormat, mapping_of
from billing_pipeline.accounting.handoff.master_data import quickbooks_iif_customers
from billing_pipeline.customers.tenant import Tenant

_NAME = "quickbooks_iif"
_FIELDS = ["ID", "TRNSTYPE", "DATE", "ACCNT", "NAME", "CLASS", "AMOUNT", "DOCNUM", "MEMO"]


def render(journal: pl.DataFrame, batch: HandoffBatch, tenant: Tenant) -> bytes:  # noqa: ARG001
    """One block per entry.

    Raises: MappingRefused for entries in another than the tenant's currency.
    """
    mapping = mapping_of(tenant, _NAME)
    refuse_other_currencies(journal, tenant.currency, "IIF")
    is_first = pl.col("posting_number") == pl.col("posting_number").min().over("entry_number")
    is_debtor = pl.col("role") == "receivable"
    line = pl.concat_str(
        pl.when(is_first).then(pl.lit("TRNS")).otherwise(pl.lit("SPL")),
        pl.lit(""),
        pl.lit("GENERAL JOURNAL"),
        pl.col("booked_date").dt.to_string("%m/%d/%Y"),
        _plain(mapped_account(mapping)),
        pl.when(is_debtor).then(_plain(mapped_customer(mapping))).otherwise(pl.lit("")),
        pl.col("cost_centre").fill_null(""),
        decimal_text(pl.col("amount_minor"), [tenant.currency]),
        _plain(pl.col("source_key")),
        _plain(pl.col("narration")),
        separator="\t",
    )
    blocks = journal.group_by("entry_number", maintain_order=True).agg(block=line.str.join("\r\n"))
    heads = [
        "\t".join([f"!{kind}", f"{kind}{_FIELDS[0]}", *_FIELDS[1:]]) for kind in ("TRNS", "SPL")
    ]
    entries = blocks.select(pl.concat_str("block", pl.lit("\r\nENDTRNS"))).to_series()
    return "\r\n".join([*heads, "!ENDTRNS", *entries, ""]).encode("cp1252", errors="replace")


def _plain(text: pl.Expr) -> pl.Expr:
    # IIF has no escape for a tab, and quotes change what follows.
    return text.str.replace_all(r"[\t\r\n\"]", " ")


FORMAT = HandoffFormat(
    name=_NAME,
    title="QuickBooks Desktop journal, IIF",
    suffix=".iif",
    media_type="text/plain",
    render=render,
    customers=quickbooks_iif_customers.LAYOUT,
)
