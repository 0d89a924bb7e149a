"""DATEV: Debitoren/Kreditoren (EXTF 700, category 16, version 5), 254 columns.

Wanted where each customer has a debtor account of its own (setting `debtors: own`). cp1252, CRLF,
semicolons; texts in quotes, numbers bare. A company's name stands in its own column (Adressattyp
2); of persons we have one name, not first and last, so they are of no type (0).
Sources: DATEV developer portal, "Debitoren/Kreditoren"; the columns as two independent public
writers name them one by one.
"""

import polars as pl

from billing_pipeline.accounting.handoff.datev_settings import NAME, DatevSettings
from billing_pipeline.accounting.handoff.format import settings_of
from billing_pipeline.accounting.handoff.master_data.customers import refuse_customers
from billing_pipeline.accounting.handoff.master_data.datev_debtor_columns import COLUMNS
from billing_pipeline.accounting.handoff.master_data.layout import CustomerBatch, CustomerLayout
from billing_pipeline.customers.tenant import Tenant

_NAME_LENGTH, _SHORT, _STREET, _TOWN, _EMAIL, _NUMBER = 50, 15, 36, 30, 60, 15
_LANGUAGES = {"de": "1", "fr": "4", "en": "5", "es": "10", "it": "19"}
_EU = [
    "AT",
    "BE",
    "BG",
    "CY",
    "CZ",
    "DE",
    "DK",
    "EE",
    "ES",
    "FI",
    "FR",
    "GR",
    "HR",
    "HU",
    "IE",
    "IT",
    "LT",
    "LU",
    "LV",
    "MT",
    "NL",
    "PL",
    "PT",
    "RO",
    "SE",
    "SI",
    "SK",
]


def render(customers: pl.DataFrame, batch: CustomerBatch, tenant: Tenant) -> bytes:
    """Header, column names, one row per debtor.

    Raises: MappingRefused for debtors whose account is no number DATEV takes.
    """
    settings = settings_of(DatevSettings, tenant, NAME)
    refuse_customers(
        customers,
        ~pl.col("customer").str.contains(settings.debtor_account),
        f"a debtor account has {settings.account_length + 1} digits and starts with 1 to 6: map "
        f"the customer in handoff_mappings.{NAME}.customers.",
    )
    written = _written()
    line = pl.concat_str(
        [written.get(name, pl.lit("")).fill_null("") for name in COLUMNS], separator=";"
    )
    rows = customers.select(line).to_series()
    lines = [_header(batch, settings), ";".join(COLUMNS), *rows, ""]
    return "\r\n".join(lines).encode("cp1252", errors="replace")


def _written() -> dict[str, pl.Expr]:
    """The columns that say something; all others stay empty."""
    is_person = pl.col("account_type") == "individual"
    name = _text(pl.col("name"), _NAME_LENGTH)
    in_eu = pl.col("country").is_in(_EU) & pl.col("vat_number").str.contains("^[A-Z]{2}")
    return {
        "Konto": pl.col("customer"),
        "Name (Adressattyp Unternehmen)": pl.when(~is_person).then(name),
        "Name (Adressattyp keine Angabe)": pl.when(is_person).then(name),
        "Adressattyp": pl.when(is_person).then(pl.lit('"0"')).otherwise(pl.lit('"2"')),
        "Kurzbezeichnung": _text(pl.col("name"), _SHORT),
        "EU-Land": pl.when(in_eu).then(_text(pl.col("vat_number"), 2)),
        "EU-UStID": pl.when(in_eu).then(_text(pl.col("vat_number").str.slice(2), 13)),
        "Adressart": pl.lit('"STR"'),
        "Straße": _text(pl.col("street"), _STREET),
        "Postleitzahl": _text(pl.col("postal_code"), 10),
        "Ort": _text(pl.col("city"), _TOWN),
        "Land": _text(pl.col("country"), 2),
        "Kennz. Korrespondenzadresse": pl.lit("1"),
        "E-Mail": _text(pl.col("email"), _EMAIL),
        "Kunden-/Lief.-Nr.": _text(pl.col("account_key"), _NUMBER),
        "Sprache": pl.col("language")
        .str.head(2)
        .replace_strict(_LANGUAGES, default=None, return_dtype=pl.String),
        "Fälligkeit in Tagen (Debitor)": pl.col("payment_terms_days").cast(pl.String),
    }


def _text(value: pl.Expr, length: int) -> pl.Expr:
    quoted = value.str.head(length).str.replace_all('"', '""')
    return pl.concat_str(pl.lit('"'), quoted, pl.lit('"'))


def _header(batch: CustomerBatch, settings: DatevSettings) -> str:
    created = batch.created_at
    label = f"{batch.format_name} {batch.batch_number:06d}"[:30]
    start = settings.fiscal_year_start(created.date())
    fields = [
        *('"EXTF"', "700", "16", '"Debitoren/Kreditoren"', "5"),
        f"{created:%Y%m%d%H%M%S}{created.microsecond // 1000:03d}",
        *("", '"BP"', '"billing"', '""'),
        *(str(settings.consultant_number), str(settings.client_number)),
        *(f"{start:%Y%m%d}", str(settings.account_length), "", ""),
        *(f'"{label}"', '""', "", "", "", '""'),
        *("", '""', "", "", f'"{settings.chart}"', "", "", '""', '""'),
    ]
    return ";".join(fields)


def _has_own_debtors(tenant: Tenant) -> bool:
    return settings_of(DatevSettings, tenant, NAME).debtors == "own"


LAYOUT = CustomerLayout(
    title="DATEV Debitoren",
    suffix=".csv",
    render=render,
    prefix="EXTF_",
    is_wanted=_has_own_debtors,
)
