"""Stacked taxes, tax inside prices, tax in another currency: issued, checked and printed."""

import datetime as dt
import shutil
from pathlib import Path

import pdfplumber
import polars as pl
import pytest

from billing_pipeline.books import invoices
from billing_pipeline.books.scope import tenant_scope
from billing_pipeline.orchestration.simulate import render_documents, simulate
from billing_pipeline.orchestration.throwaway import installation_below

STORY = Path(__file__).parents[1] / "scenarios" / "reverse_charge_and_export" / "given"
TAXES = """tax_rates:
  - {key: inside, country: DE, tax_code: S, percent: 19, label: USt. 19 %, is_included: true}
  - key: stacked
    country: AT
    tax_code: S
    percent: 8.875
    label: Sales tax
    parts:
      - {label: State, percent: 4}
      - {label: City, percent: 4.5}
      - {label: District, percent: 0.375}
  - {key: export, tax_code: G, percent: 0, label: Export}
"""
RATES = "from_currency,to_currency,rate,valid_from,source\nEUR,GBP,0.8550,2026-01-30,ECB\n"


@pytest.mark.postgres
@pytest.mark.pdf
def test_all_kinds_of_tax_go_through_the_books_and_onto_paper(
    database_url: str, tmp_path: Path
) -> None:
    given = tmp_path / "given"
    shutil.copytree(STORY, given)
    (given / "acme" / "taxes.yaml").write_text(TAXES, encoding="utf-8")
    (given / "acme" / "fx_rates.csv").write_text(RATES, encoding="utf-8")
    tenant = given / "acme" / "tenant.yaml"
    in_sterling = tenant.read_text().replace("legal_entity:", "legal_entity:\n  tax_currency: GBP")
    tenant.write_text(in_sterling)
    installation = installation_below(tmp_path, database_url)

    summary = simulate(installation, given, dt.date(2026, 2, 1), tmp_path / "out")
    render_documents(installation, tmp_path / "pdf")

    assert summary["failing_checks"] == []
    with tenant_scope(installation.engine, "acme") as connection:
        issued = invoices.read_invoices(connection, "acme")
    # 100.00 with 19 % inside: 84.03 and 15.97, in sterling 15.97 x 0.855 = 13.65435 -> 13.65.
    # 100.00 and 4.00 + 4.50 + 0.375 -> 0.38 is 108.88; 8.88 x 0.855 = 7.5924 -> 7.59.
    totals = issued.select("net_minor", "tax_minor", "total_minor", "tax_currency_minor")
    assert totals.unique().sort("tax_minor").rows() == [
        (10000, 0, 10000, 0),
        (10000, 888, 10888, 759),
        (8403, 1597, 10000, 1365),
    ]
    assert issued["fx_source"].unique().to_list() == ["ECB"]
    stacked = issued.filter(pl.col("tax_minor") == 888)["invoice_number"][0]
    with pdfplumber.open(tmp_path / "pdf" / "acme" / f"{stacked}.pdf") as pdf:
        text = pdf.pages[0].extract_text()
    for words in ("State", "City", "District", "0,38", "Kurs 0,855", "7,59"):
        assert words in text
