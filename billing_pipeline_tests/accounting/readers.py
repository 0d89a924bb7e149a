"""Readers of hand-off files that share nothing with their writers: what a target would see.

Each gives the signed amounts of the file, debits positive; a sales file gives gross per row.
"""

import csv
import io
import json
from collections.abc import Callable, Iterable
from decimal import Decimal

import duckdb
import pandas as pd
from lxml import etree

Amounts = list[Decimal]


def table(content: bytes, separator: str = ",", encoding: str = "utf-8") -> list[dict[str, str]]:
    text = io.StringIO(content.decode(encoding), newline="")
    return list(csv.DictReader(text, delimiter=separator))


def sheet(content: bytes) -> list[dict[str, object]]:
    frame = pd.read_excel(io.BytesIO(content), dtype=object, na_filter=False)
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def sides(rows: Iterable[dict[str, str]], debit: str, credit: str) -> Amounts:
    def number(text: str) -> Decimal:
        return Decimal(text.replace(",", ".") or "0")

    return [number(row[debit]) - number(row[credit]) for row in rows]


def sheet_sides(content: bytes, debit: str, credit: str) -> Amounts:
    return [
        Decimal(str(row[debit] or 0)) - Decimal(str(row[credit] or 0)) for row in sheet(content)
    ]


def read_json(content: bytes) -> Amounts:
    entries = json.loads(content)["entries"]
    return [
        Decimal(posting["amount_minor"]) / 100 for entry in entries for posting in entry["postings"]
    ]


def read_parquet(content: bytes) -> Amounts:
    import tempfile  # noqa: PLC0415 - only DuckDB wants a file

    with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
        file.write(content)
        file.flush()
        rows = duckdb.read_parquet(file.name).project("amount_minor").fetchall()
    return [Decimal(amount) / 100 for (amount,) in rows]


def read_beancount(content: bytes) -> Amounts:
    lines = [line.split() for line in content.decode().splitlines() if line.startswith("  ")]
    return [Decimal(words[1]) for words in lines if not words[0].endswith(":")]


def read_datev(content: bytes) -> Amounts:
    rows = table(content.split(b"\r\n", 1)[1], ";", "cp1252")
    amounts = [Decimal(row["Umsatz (ohne Soll/Haben-Kz)"].replace(",", ".")) for row in rows]
    return [*amounts, *(-amount for amount in amounts)]


def read_iif(content: bytes) -> Amounts:
    rows = [line.split("\t") for line in content.decode("cp1252").splitlines()]
    return [Decimal(row[7]) for row in rows if row[0] in ("TRNS", "SPL")]


def read_idoc(content: bytes) -> Amounts:
    root = etree.fromstring(content)
    return [Decimal(str(node.text)) for node in root.iterfind(".//E1BPACCR09/AMT_DOCCUR")]


def read_sage50(content: bytes) -> Amounts:
    rows = csv.reader(io.StringIO(content.decode("cp1252"), newline=""))
    return [(Decimal(row[7]) + Decimal(row[9])) * (1 if row[0] == "SI" else -1) for row in rows]


def read_xero_sales(content: bytes) -> Amounts:
    return [Decimal(row["*UnitAmount"]) + Decimal(row["TaxAmount"]) for row in table(content)]


JOURNALS: dict[str, Callable[[bytes], Amounts]] = {
    "beancount": read_beancount,
    "business_central_journal": lambda file: [Decimal(str(row["Amount"])) for row in sheet(file)],
    "datev": read_datev,
    "fec": lambda file: sides(table(file, "\t"), "Debit", "Credit"),
    "journal_csv": lambda file: sides(table(file), "debit", "credit"),
    "journal_json": read_json,
    "journal_parquet": read_parquet,
    "netsuite_journal": lambda file: sides(
        table(file), "Journal Entry - Line: Debit", "Journal Entry - Line: Credit"
    ),
    "quickbooks_iif": read_iif,
    "quickbooks_journal": lambda file: sides(table(file), "Debits", "Credits"),
    "sage_intacct_journal": lambda file: sides(table(file), "DEBIT", "CREDIT"),
    "sap_idoc": read_idoc,
    "sap_journal_upload": lambda file: sheet_sides(file, "WRSOL", "WRHAB"),
    "xero_manual_journal": lambda file: [Decimal(row["*Amount"]) for row in table(file)],
}

SALES: dict[str, Callable[[bytes], Amounts]] = {
    "sage50_invoices": read_sage50,
    "xero_sales_invoices": read_xero_sales,
}
