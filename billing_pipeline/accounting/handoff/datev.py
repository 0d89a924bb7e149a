"""DATEV: Buchungsstapel (EXTF 700, category 21, version 13).

cp1252, CRLF, semicolons, decimal comma; every row is an account against a contra account with a
positive amount and S (debit) or H (credit) for the account; one fiscal year a file.

The trap: automatic revenue accounts work out the tax again from a gross amount, which misses the
booked tax by a cent in every tenth invoice. So net and tax stand in rows of their own, exact to
the cent; revenue accounts that are automatic in the tenant's chart are named in the setting
`automatic_accounts` and get posting key 40, which switches the automatic function off.
Sources: DATEV developer portal, "Buchungsstapel"; posting key 40: DATEV Steuerschlüssel.
"""

import datetime as dt

import polars as pl

from billing_pipeline.accounting.handoff.batch import HandoffBatch
from billing_pipeline.accounting.handoff.datev_columns import COLUMNS, TEXT_COLUMNS
from billing_pipeline.accounting.handoff.datev_settings import NAME, DatevSettings
from billing_pipeline.accounting.handoff.fields import (
    decimal_text,
    mapped_customer,
    refuse_other_currencies,
)
from billing_pipeline.accounting.handoff.format import (
    HandoffFormat,
    by_run_of,
    mapping_of,
    refuse,
    settings_of,
)
from billing_pipeline.accounting.handoff.master_data import datev_debtors
from billing_pipeline.accounting.handoff.pairs import account_pairs
from billing_pipeline.customers.tenant import Tenant

_CURRENCY = "EUR"
_DOCUMENT_NUMBER = r"^[A-Za-z0-9_$&%*+/-]{1,36}$"
_TEXT_LENGTH = 60
_AUTOMATIC_OFF = "40"


def render(journal: pl.DataFrame, batch: HandoffBatch, tenant: Tenant) -> bytes:
    """Header, column names, one row per pair of accounts.

    Raises: MappingRefused for another currency, a document number DATEV does not take, an
        account that is no number of the chart's length, or missing settings.
    """
    settings = settings_of(DatevSettings, tenant, NAME)
    refuse_other_currencies(journal, _CURRENCY, "DATEV")
    refuse(
        journal,
        ~pl.col("source_key").str.contains(_DOCUMENT_NUMBER),
        "DATEV takes document numbers of up to 36 letters, digits and _ $ & % * + / - only.",
    )
    rows = _rows(_with_accounts(journal, tenant, settings), settings)
    names = ";".join(f'"{name}"' for name in COLUMNS)
    lines = [_header(journal, batch, settings), names, *rows, ""]
    return "\r\n".join(lines).encode("cp1252", errors="replace")


def _with_accounts(journal: pl.DataFrame, tenant: Tenant, settings: DatevSettings) -> pl.DataFrame:
    mapping = mapping_of(tenant, NAME)
    ledger_account = pl.col("ledger_account").replace(mapping.ledger_accounts)
    longest = settings.account_length
    if settings.debtors == "own":
        is_debtor = pl.col("role") == "receivable"
        ledger_account = pl.when(is_debtor).then(mapped_customer(mapping)).otherwise(ledger_account)
        refuse(
            journal,
            is_debtor & ~mapped_customer(mapping).str.contains(settings.debtor_account),
            f"a debtor account has {longest + 1} digits and starts with 1 to 6: map the customer "
            f"in handoff_mappings.{NAME}.customers.",
        )
    rows = journal.with_columns(ledger_account=ledger_account)
    refuse(
        rows,
        (pl.col("role") != "receivable")
        & ~pl.col("ledger_account").str.contains(rf"^\d{{1,{longest}}}$"),
        f"a ledger account is a number of at most {longest} digits: map it in "
        f"handoff_mappings.{NAME}.ledger_accounts.",
    )
    return rows


def _rows(journal: pl.DataFrame, settings: DatevSettings) -> list[str]:
    pairs = account_pairs(journal)
    # The debtor stands first, on whichever side he is, so that the posting shows in his account.
    is_credit = (pl.col("role_credit") == "receivable") & (pl.col("role_debit") != "receivable")
    debit, credit = pl.col("ledger_account_debit"), pl.col("ledger_account_credit")
    contra = pl.when(is_credit).then(debit).otherwise(credit)
    automatic = contra.is_in(settings.automatic_accounts.replace(" ", "").split(","))
    written = {
        "Umsatz (ohne Soll/Haben-Kz)": decimal_text(pl.col("amount_minor"), [_CURRENCY], ","),
        "Soll/Haben-Kennzeichen": pl.when(is_credit).then(pl.lit("H")).otherwise(pl.lit("S")),
        "WKZ Umsatz": pl.col("currency"),
        "Konto": pl.when(is_credit).then(credit).otherwise(debit),
        "Gegenkonto (ohne BU-Schlüssel)": contra,
        "BU-Schlüssel": pl.when(automatic).then(pl.lit(_AUTOMATIC_OFF)).otherwise(pl.lit("")),
        "Belegdatum": pl.col("booked_date").dt.to_string("%d%m"),
        "Belegfeld 1": pl.col("source_key"),
        "Buchungstext": pl.col("narration").str.head(_TEXT_LENGTH),
        "Festschreibung": pl.lit("0"),
    }
    line = pl.concat_str([_field(name, written) for name in COLUMNS], separator=";")
    return pairs.select(line).to_series().to_list()


def _field(name: str, written: dict[str, pl.Expr]) -> pl.Expr:
    value = written.get(name, pl.lit(""))
    if name not in TEXT_COLUMNS:
        return value
    return pl.concat_str(pl.lit('"'), value.str.replace_all('"', '""'), pl.lit('"'))


def _fiscal_year_start(settings: DatevSettings) -> pl.Expr:
    booked = pl.col("booked_date")
    year = booked.dt.year() - (booked.dt.month() < settings.fiscal_year_month).cast(pl.Int32)
    return pl.date(year, settings.fiscal_year_month, 1)


def _header(journal: pl.DataFrame, batch: HandoffBatch, settings: DatevSettings) -> str:
    dates = journal.select(start=_fiscal_year_start(settings), booked=pl.col("booked_date")).select(
        pl.col("start").min(), first=pl.col("booked").min(), last=pl.col("booked").max()
    )
    start, first, last = (f"{day:%Y%m%d}" for day in dates.row(0))
    created = batch.created_at.astimezone(dt.UTC)
    label = f"{batch.format_name} {batch.batch_number:06d}"[:30]
    fields = [
        *('"EXTF"', "700", "21", '"Buchungsstapel"', "13"),
        f"{created:%Y%m%d%H%M%S}{created.microsecond // 1000:03d}",
        *("", '"BP"', '"billing"', '""'),
        *(str(settings.consultant_number), str(settings.client_number)),
        *(start, str(settings.account_length), first, last),
        *(f'"{label}"', '""', "1", "0", "0", f'"{_CURRENCY}"'),
        *("", '""', "", "", f'"{settings.chart}"', "", "", '""', '""'),
    ]
    return ";".join(fields)


def _by_fiscal_year(journal: pl.DataFrame, tenant: Tenant) -> list[pl.DataFrame]:
    return list(by_run_of(_fiscal_year_start(settings_of(DatevSettings, tenant, NAME)), journal))


FORMAT = HandoffFormat(
    name=NAME,
    title="DATEV Buchungsstapel",
    suffix=".csv",
    media_type="text/csv",
    render=render,
    division=_by_fiscal_year,
    customers=datev_debtors.LAYOUT,
    prefix="EXTF_",
)
