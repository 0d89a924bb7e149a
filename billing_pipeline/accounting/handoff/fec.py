"""FEC: the French Fichier des Écritures Comptables, here the entries of one batch.

Tab-separated, 18 columns in this order, dates as YYYYMMDD, decimal comma, entry numbers without a
gap, detail and no centralised entries. The file the authorities ask for is a whole fiscal year
named SIRENFECYYYYMMDD.txt: join the year's batches under one header. Every account needs its
label (`account_labels`).
Source: Livre des procédures fiscales, article A47 A-1; third-party documentation of the columns
(Odoo, NetSuite, Dolibarr). The authorities' own test program runs on Windows only.
"""

import polars as pl

from billing_pipeline.accounting.handoff.batch import HandoffBatch
from billing_pipeline.accounting.handoff.fields import (
    decimal_text,
    mapped_account,
    mapped_customer,
    refuse_other_currencies,
)
from billing_pipeline.accounting.handoff.format import (
    HandoffFormat,
    mapping_of,
    refuse,
    settings_of,
)
from billing_pipeline.accounting.handoff.tables import csv_bytes
from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.vocabulary.configuration import Configuration

_NAME = "fec"


class FecSettings(Configuration):
    """Code and label of the sales journal."""

    journal_code: str = "VE"
    journal_label: str = "Ventes"


def render(journal: pl.DataFrame, batch: HandoffBatch, tenant: Tenant) -> bytes:
    """One row per posting.

    Raises: MappingRefused for another currency or an account without label.
    """
    mapping = mapping_of(tenant, _NAME)
    settings = settings_of(FecSettings, tenant, _NAME)
    refuse_other_currencies(journal, tenant.currency, "FEC")
    label = pl.col("ledger_account").replace_strict(
        mapping.account_labels, default=None, return_dtype=pl.String
    )
    refuse(journal, label.is_null(), "FEC wants a label for every account: add account_labels.")
    amount = pl.col("amount_minor")
    is_debtor = pl.col("role") == "receivable"
    debtor = pl.when(is_debtor).then(mapped_customer(mapping))
    booked = pl.col("booked_date").dt.to_string("%Y%m%d")
    rows = journal.select(
        JournalCode=pl.lit(settings.journal_code),
        JournalLib=pl.lit(settings.journal_label),
        EcritureNum=pl.col("entry_number"),
        EcritureDate=booked,
        CompteNum=mapped_account(mapping),
        CompteLib=label,
        CompAuxNum=debtor,
        CompAuxLib=debtor,
        PieceRef=pl.col("source_key"),
        PieceDate=pl.coalesce("belongs_to", "booked_date").dt.to_string("%Y%m%d"),
        EcritureLib=pl.col("narration").str.replace_all(r"[\t\r\n]", " "),
        Debit=decimal_text(amount.clip(lower_bound=0), [tenant.currency], ","),
        Credit=decimal_text((-amount).clip(lower_bound=0), [tenant.currency], ","),
        EcritureLet=pl.lit(None, pl.String),
        DateLet=pl.lit(None, pl.String),
        ValidDate=pl.lit(f"{batch.created_at:%Y%m%d}"),
        Montantdevise=pl.lit(None, pl.String),
        Idevise=pl.lit(None, pl.String),
    )
    return csv_bytes(rows, separator="\t")


FORMAT = HandoffFormat(
    name=_NAME,
    title="FEC",
    suffix=".txt",
    media_type="text/tab-separated-values",
    render=render,
)
