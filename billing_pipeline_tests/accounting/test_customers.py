"""Customers as accounting systems take them: one small list in every layout, kept as a file.

`python -m billing_pipeline_tests.accounting.test_customers` writes the files anew; read the diff.
"""

import csv
import datetime as dt
import io
from pathlib import Path

import polars as pl
import pytest
from lxml import etree

from billing_pipeline.accounting.handoff.format import MappingRefused
from billing_pipeline.accounting.handoff.master_data.customers import (
    customers_of,
    refuse_alike,
    with_digest,
)
from billing_pipeline.accounting.handoff.master_data.layout import CustomerBatch, CustomerLayout
from billing_pipeline.accounting.handoff.registry import OWN_FORMATS
from billing_pipeline.customers.schema import ACCOUNTS
from billing_pipeline.customers.tenant import HandoffMapping, Tenant
from billing_pipeline_tests.accounting.builders import HANDED_OVER_AT, tenant
from billing_pipeline_tests.accounting.readers import sheet, table
from billing_pipeline_tests.accounting.test_golden import CHART, FOLDER, SETTINGS

LAYOUTS: dict[str, CustomerLayout] = {
    name: one.customers for name, one in OWN_FORMATS.items() if one.customers is not None
}
ACCOUNT = dict.fromkeys(ACCOUNTS.names) | {
    "account_type": "business",
    "currency": "EUR",
    "opened_on": dt.date(2026, 1, 1),
    "payment_terms_days": 14,
    "language": "de_DE",
    "street": "Hauptstr. 1",
    "city": "Köln",
    "postal_code": "50667",
    "country": "DE",
}
ANNA = {"account_key": "10002", "payer_key": "10002", "name": "Anna Berg"}
FIRM = {
    "account_key": "10001",
    "payer_key": "10001",
    "name": 'Müller & Söhne, "MS" <GmbH>',
    "vat_number": "DE136695976",
    "email": "ap@mueller.example",
}
BRANCH = {"account_key": "10003", "payer_key": "10001", "name": "Paid by the firm"}


def accounts(*changes: dict[str, str]) -> pl.DataFrame:
    return pl.DataFrame(
        [ACCOUNT | {"account_type": "individual"} | ANNA, *(ACCOUNT | one for one in changes)],
        schema=ACCOUNTS.polars_schema,
    )


def owner(format_name: str, **settings: str) -> Tenant:
    given = {**SETTINGS.get(format_name, {}), **settings}
    if format_name == "datev":
        given["debtors"] = "own"
    mapping = HandoffMapping(customers={"10001": "10007"}, settings=given)
    return tenant("EUR", format_name, mapping, CHART)


def rendered(
    format_name: str, rows: pl.DataFrame | None = None, owned_by: Tenant | None = None
) -> bytes:
    whose = owned_by or owner(format_name)
    customers = customers_of(accounts(FIRM, BRANCH) if rows is None else rows, whose, format_name)
    batch = CustomerBatch("voice", format_name, 1, HANDED_OVER_AT, customers.height)
    return LAYOUTS[format_name].file(customers, batch, whose).content


def golden(format_name: str) -> Path:
    return FOLDER / f"{format_name}_customers{LAYOUTS[format_name].suffix}"


def rows_of_iif(content: bytes) -> list[dict[str, str]]:
    return table(content, "\t", "cp1252")


def rows_of_datev(content: bytes) -> list[dict[str, str]]:
    _, _, rows = content.partition(b"\r\n")
    return table(rows, ";", "cp1252")


def rows_of_idoc(content: bytes) -> list[dict[str, str]]:
    segments = etree.fromstring(content).iter("E1KNA1M")
    return [{str(field.tag): field.text or "" for field in one} for one in segments]


def rows_of_sage(content: bytes) -> list[dict[str, str]]:
    lines = csv.reader(io.StringIO(content.decode("cp1252"), newline=""))
    return [{str(place): cell for place, cell in enumerate(line, start=1)} for line in lines]


def rows_of_sheet(content: bytes) -> list[dict[str, str]]:
    return [{name: str(cell) for name, cell in row.items()} for row in sheet(content)]


# Reader, and the columns of customer, name, town and postal code.
READERS = {
    "journal_csv": (table, "customer", "name", "city", "postal_code"),
    "xero_sales_invoices": (table, "*ContactName", "LegalName", "POCity", "POPostalCode"),
    "sage50_invoices": (rows_of_sage, "1", "2", "5", "7"),
    "quickbooks_journal": (table, "Name", "Company", "City", "ZIP"),
    "netsuite_journal": (
        table, "Customer ID", "Company Name", "Address - City", "Address - Zip"
    ),
    "business_central_journal": (rows_of_sheet, "No.", "Name", "City", "Post Code"),
    "datev": (
        rows_of_datev, "Konto", "Name (Adressattyp Unternehmen)", "Ort", "Postleitzahl"
    ),
    "sap_idoc": (rows_of_idoc, "KUNNR", "NAME1", "ORT01", "PSTLZ"),
}  # fmt: skip


@pytest.mark.parametrize("format_name", sorted(LAYOUTS))
def test_a_layout_still_gives_the_bytes_it_gave(format_name: str) -> None:
    content, kept = rendered(format_name), golden(format_name).read_bytes()

    if LAYOUTS[format_name].suffix == ".xlsx":
        assert sheet(content) == sheet(kept)
    else:
        assert content == kept
    assert content == rendered(format_name)


@pytest.mark.parametrize("format_name", sorted(READERS))
def test_who_pays_is_read_back_by_the_name_the_system_knows(format_name: str) -> None:
    read, *columns = READERS[format_name]

    rows = [[row[name] for name in columns] for row in read(rendered(format_name))]

    assert rows[0] == ["10007", 'Müller & Söhne, "MS" <GmbH>', "Köln", "50667"]
    assert [row[0] for row in rows] == ["10007", "10002"]


def test_a_desktop_list_has_no_quotes_because_it_has_no_escape_for_them() -> None:
    rows = rows_of_iif(rendered("quickbooks_iif"))

    assert rows[0]["NAME"] == "10007"
    assert rows[0]["COMPANYNAME"] == "Müller & Söhne,  MS  <GmbH>"
    assert rows[0]["BADDR3"] == "Köln 50667"
    assert {*READERS, "quickbooks_iif"} == set(LAYOUTS)


def test_a_debtor_says_what_kind_of_address_he_is_and_his_vat_number_in_parts() -> None:
    firm, anna = rows_of_datev(rendered("datev"))

    assert (firm["Adressattyp"], firm["EU-Land"], firm["EU-UStID"]) == ("2", "DE", "136695976")
    assert firm["Fälligkeit in Tagen (Debitor)"] == "14"
    assert (anna["Adressattyp"], anna["Name (Adressattyp keine Angabe)"]) == ("0", "Anna Berg")
    assert len(firm) == 254


def test_debtors_are_wanted_only_where_each_has_an_account_of_its_own() -> None:
    own = owner("datev")
    mapping = own.handoff_mappings["datev"].model_copy(update={"settings": SETTINGS["datev"]})
    collective = own.model_copy(update={"handoff_mappings": {"datev": mapping}})

    assert LAYOUTS["datev"].is_wanted(own)
    assert not LAYOUTS["datev"].is_wanted(collective)


def test_a_customer_changes_his_digest_with_anything_said_of_him() -> None:
    def digests(**changes: str) -> list[str]:
        customers = customers_of(accounts(FIRM | changes), owner("journal_csv"), "journal_csv")
        return with_digest(customers)["content_sha256"].to_list()

    before = digests()

    assert digests() == before
    assert digests(city="Bonn")[0] != before[0]
    assert digests(city="Bonn")[1] == before[1]


@pytest.mark.parametrize(
    ("format_name", "changes", "complaint"),
    [
        ("sage50_invoices", {"account_key": "TOO-LONG", "payer_key": "TOO-LONG"}, "TOO-LONG"),
        ("sage50_invoices", {"currency": "USD"}, "company's currency, here EUR.*10001"),
        ("quickbooks_journal", {"account_key": "a:b", "payer_key": "a:b"}, "no colon.*a:b"),
        ("quickbooks_iif", {"account_key": "a:b", "payer_key": "a:b"}, "job.*a:b"),
        ("quickbooks_iif", {"account_key": "x" * 42, "payer_key": "x" * 42}, "41 characters.*xxx"),
        ("datev", {"account_key": "77", "payer_key": "77"}, "5 digits and starts with 1 to 6.*77"),
        ("sap_idoc", {"account_key": "x" * 11, "payer_key": "x" * 11}, "10 characters.*xxx"),
        ("business_central_journal", {"account_key": "x" * 21, "payer_key": "x" * 21}, "20 char"),
    ],
)
def test_a_customer_a_target_could_not_take_is_refused_by_name(
    format_name: str, changes: dict[str, str], complaint: str
) -> None:
    with pytest.raises(MappingRefused, match=complaint):
        rendered(format_name, accounts(FIRM | changes))


@pytest.mark.parametrize(
    ("format_name", "one", "other"),
    [
        ("sage50_invoices", "ab1", "AB1"),
        ("business_central_journal", "ab1", "AB1"),
        ("quickbooks_iif", "ab\t1", 'ab"1'),
    ],
)
def test_two_customers_a_target_would_take_for_one_are_refused(
    format_name: str, one: str, other: str
) -> None:
    both = accounts(*(FIRM | {"account_key": key, "payer_key": key} for key in (one, other)))
    one_by_mapping = HandoffMapping(customers={one: "X", other: "X"})
    whose = owner(format_name)
    mapped = whose.model_copy(update={"handoff_mappings": {format_name: one_by_mapping}})

    refuse_alike(customers_of(both, mapped, format_name), LAYOUTS[format_name])
    with pytest.raises(MappingRefused, match=r"come out as one: map customers.*concerned: 2"):
        refuse_alike(customers_of(both, whose, format_name), LAYOUTS[format_name])


def test_a_region_written_out_is_left_to_sap() -> None:
    def region(name: str) -> str | None:
        return rows_of_idoc(rendered("sap_idoc", accounts(FIRM | {"region": name})))[0].get("REGIO")

    assert region("NW") == "NW"
    assert not region("Nordrhein-Westfalen")


def write_golden_files() -> None:
    for format_name in LAYOUTS:
        golden(format_name).write_bytes(rendered(format_name))


if __name__ == "__main__":
    write_golden_files()
