"""The documents of whole stories: one figure in the books, on paper, in XML, JSON and CSV."""

import io
import json
import shutil
from decimal import Decimal
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pdfplumber
import polars as pl
import pytest
import yaml

from billing_pipeline.books import invoices
from billing_pipeline.books.scope import tenant_scope
from billing_pipeline.documents.formats import formats
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.simulate import render_documents, simulate
from billing_pipeline.orchestration.throwaway import installation_below
from billing_pipeline.orchestration.trace import trace_invoice
from billing_pipeline.vocabulary.money import from_minor_units
from billing_pipeline_tests.documents.norm import arithmetic_errors, breaches_of_the_norm
from billing_pipeline_tests.scenarios.test_scenarios import last_bill_day

HERE = Path(__file__).parent
STORIES = [
    "reverse_charge_and_export",
    "a_corrected_price_is_credited",
    "peak_off_peak_and_longest_prefix",
    "included_minutes_then_overage",
    "graduated_55_gigabytes",
]
SECTIONS = {"included_minutes_then_overage": {"Customer A-1 \u00b7 Telephony"}}
"""Names that sections have where lines are gathered by category."""

FILES = ["itemisation", "itemisation_parquet", "ubl", "cii", "json", "email"]


@pytest.mark.scenario
@pytest.mark.postgres
@pytest.mark.pdf
@pytest.mark.parametrize("story", STORIES)
def test_every_document_of_a_story_says_the_same_everywhere(
    story: str, database_url: str, tmp_path: Path
) -> None:
    installation = installation_below(tmp_path, database_url)
    given = tmp_path / "given"
    shutil.copytree(HERE / story / "given", given)
    for tenant in given.glob("*/tenant.yaml"):
        configured = yaml.safe_load(tenant.read_text())
        configured["legal_entity"].setdefault("tax_number", "12-3456789")
        tenant.write_text(yaml.safe_dump(configured | {"document_files": FILES}))
    simulate(installation, given, last_bill_day(HERE / story), tmp_path / "out")

    render_documents(installation, tmp_path / "pdf")

    keys = [folder.name for folder in given.iterdir() if "@" not in folder.name]
    assert sum(documents_that_agree(installation, key) for key in keys) > 0
    if story == "included_minutes_then_overage":
        (traced,) = [line for line in trace_invoice(installation, "INV-2026-000001", None, limit=1)
                     if " record " in line]  # fmt: skip
        assert "billable 600.0000000000 (included 600.0000000000) at" in traced
    assert sections_named(installation, keys) >= SECTIONS.get(story, set())


def sections_named(installation: Installation, tenant_keys: list[str]) -> set[str]:
    """Names of all sections of the tenants' documents."""
    names: set[str] = set()
    for tenant_key in tenant_keys:
        with tenant_scope(installation.engine, tenant_key) as connection:
            files = invoices.read_documents(connection, tenant_key)
        for path in files.filter(pl.col("kind") == "json")["path"]:
            told = json.loads(Path(path).read_text(encoding="utf-8"))
            names |= {section["name"] for section in told["sections"]}
    return names


def documents_that_agree(installation: Installation, tenant_key: str) -> int:
    """Number of a tenant's documents; each is compared in all its forms."""
    with tenant_scope(installation.engine, tenant_key) as connection:
        issued = invoices.read_invoices(connection, tenant_key)
        lines = invoices.read_lines(connection, tenant_key)
        files = invoices.read_documents(connection, tenant_key)
    for row in issued.iter_rows(named=True):
        paths = dict(
            files.filter(pl.col("invoice_number") == row["invoice_number"])
            .select("kind", "path")
            .rows()
        )
        made = {kind: Path(path).read_bytes() for kind, path in paths.items()}
        total = abs(row["total_minor"])
        own = lines.filter(pl.col("invoice_number") == row["invoice_number"])
        assert {"pdf", "json", "email"} <= made.keys()
        says_on_paper(made["pdf"], made["email"], total, row["currency"])
        said = json.loads(made["json"])
        assert said["total_minor"] == total
        by_tiers = own.filter(pl.col("price_key") == "traffic")["net_minor"].to_list()
        assert [line["net_minor"] for line in said["tiers"]] == by_tiers
        for syntax in ("cii", "ubl"):
            judge(made[syntax], total, row["currency"])
        assert rows_of(made) == events_of_new_lines(own)
    return issued.height


def says_on_paper(pdf: bytes, email: bytes, total_minor: int, currency: str) -> None:
    with pdfplumber.open(io.BytesIO(pdf)) as opened:
        text = "\n".join(page.extract_text() for page in opened.pages)
    locale = "de_DE" if "Rechnung" in text or "Gutschrift" in text else "en_GB"
    shown = formats(locale).figure(total_minor, currency)
    assert shown in text.replace("\u00a0", " ")
    assert b"multipart/alternative" in email


def judge(content: bytes, total_minor: int, currency: str) -> None:
    assert breaches_of_the_norm(content) == []
    assert arithmetic_errors(content) == []
    names = ("DuePayableAmount", "PayableAmount")
    due = [
        element.text
        for element in fromstring(content).iter()  # noqa: S314 - our own output
        if element.tag.rpartition("}")[2] in names
    ]
    assert [Decimal(amount or "x") for amount in due] == [from_minor_units(total_minor, currency)]


def rows_of(made: dict[str, bytes]) -> int:
    """Usage records of the itemisation, the same in both its forms."""
    if "itemisation" not in made:
        assert "itemisation_parquet" not in made
        return 0
    csv = pl.read_csv(made["itemisation"], infer_schema=False)
    parquet = pl.read_parquet(made["itemisation_parquet"])
    assert csv["record_number"].to_list() == parquet["record_number"].cast(pl.String).to_list()
    exact = csv["amount"].cast(pl.Decimal(38, 10)).sum()
    assert exact == parquet["amount"].sum()
    return csv.height


def events_of_new_lines(lines: pl.DataFrame) -> int:
    new = lines.filter((pl.col("charge_kind") == "usage") & (pl.col("posting_number") == 1))
    return int(new["events"].sum())
