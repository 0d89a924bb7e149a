"""The inventory of identifiers in the books: applied, exported, refused across tenants, shown."""

import datetime as dt
import shutil
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from billing_pipeline.books.catalog import tenant_keys
from billing_pipeline.books.scope import installation_scope
from billing_pipeline.cli import billing
from billing_pipeline.orchestration.configure import apply_folders, export_folder, read_folders
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.simulate import simulate
from billing_pipeline.orchestration.throwaway import installation_below
from billing_pipeline.vocabulary.problems import ConfigurationRefused

pytestmark = pytest.mark.postgres

GIVEN = Path(__file__).parents[1] / "scenarios" / "a_range_of_numbers_and_one_moved" / "given"
APPLIED_AT = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
HEADER = "identifier,match,subscription_key,status,valid_from,valid_until\n"


@pytest.fixture
def installation(tmp_path: Path, database_url: str) -> Installation:
    return installation_below(tmp_path / "home", database_url)


def brand(tmp_path: Path, key: str, identifiers: str, parent: str | None = None) -> Path:
    folder = tmp_path / "tenants" / key
    shutil.copytree(GIVEN / "acme", folder)
    named = (folder / "tenant.yaml").read_text().replace("key: acme", f"key: {key}")
    parent_line = f"parent: {parent}\n" if parent else ""
    (folder / "tenant.yaml").write_text(named + parent_line)
    (folder / "service_identifiers.csv").write_text(HEADER + identifiers)
    shutil.rmtree(folder / "usage")
    return folder


def test_an_exported_inventory_is_the_one_that_was_applied(
    installation: Installation, tmp_path: Path
) -> None:
    folders = read_folders(GIVEN / "acme")
    apply_folders(installation, folders, applied_at=APPLIED_AT, applied_by="test")

    export_folder(installation, "acme", tmp_path / "acme")

    (exported,) = read_folders(tmp_path / "acme")
    given = folders[0].service_identifiers.sort("identifier")
    assert exported.service_identifiers.sort("identifier").equals(given)


def test_what_is_at_odds_with_another_brand_is_refused_by_row_and_nothing_is_applied(
    installation: Installation, tmp_path: Path
) -> None:
    brand(tmp_path, "house", "")
    brand(tmp_path, "one", "100-199,range,S-1,,,\n77,prefix,S-1,,,\n900,,S-1,,,\n", "house")
    two = "500,,S-1,,,\n150-250,range,S-1,,,\n7600-7799,range,S-1,,,\n900,,S-1,,,\n"
    brand(tmp_path, "two", two, "house")

    with pytest.raises(ConfigurationRefused) as refused:
        apply_folders(
            installation,
            read_folders(tmp_path / "tenants"),
            applied_at=APPLIED_AT,
            applied_by="test",
        )

    told = [str(problem).split(",")[0].split(";")[0] for problem in refused.value.problems]
    head = "service_identifiers.csv row {} field identifier: {}"
    assert told == [
        "one/" + head.format(2, "overlaps 150-250 of tenant two"),
        "one/" + head.format(3, "lies inside the range 7600-7799 of tenant two"),
        "one/" + head.format(4, "is assigned by a row of tenant two at the same time"),
        "two/" + head.format(3, "overlaps 100-199 of tenant one"),
        "two/" + head.format(4, "has the prefix 77 of tenant one inside it"),
        "two/" + head.format(5, "is assigned by a row of tenant one at the same time"),
    ]
    with installation_scope(installation.engine) as connection:
        assert tenant_keys(connection) == []


def test_one_number_of_a_brands_range_may_be_another_brands(
    installation: Installation, tmp_path: Path
) -> None:
    brand(tmp_path, "house", "")
    brand(tmp_path, "one", "100-199,range,S-1,,,\n", "house")
    brand(tmp_path, "two", "142,,S-1,,,\n", "house")

    applied = apply_folders(
        installation, read_folders(tmp_path / "tenants"), applied_at=APPLIED_AT, applied_by="test"
    )

    assert applied["two"].added["service_identifiers"] == ["142"]


def test_the_command_shows_the_inventory_and_where_use_disagrees(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = installation_below(tmp_path, database_url)
    simulate(installation, GIVEN, dt.date(2026, 6, 1), tmp_path / "out")
    monkeypatch.setattr(Installation, "from_environment", staticmethod(lambda: installation))

    listed = CliRunner().invoke(billing, ["identifiers", "list", "--status", "quarantined"])
    span = ["--from", "2026-05-01", "--until", "2026-06-01"]
    gaps = CliRunner().invoke(
        billing, ["identifiers", "reconcile", *span, "--csv", str(tmp_path / "gaps.csv")]
    )

    assert listed.output.splitlines()[-1] == "1 identifiers, 1 shown"
    assert "18005550150" in listed.output
    assert gaps.output.splitlines()[-1] == "3 identifiers whose use and inventory do not agree"
    rows = pl.read_csv(tmp_path / "gaps.csv", infer_schema=False)
    assert rows.select("finding", "identifier", "status").rows() == [
        ("used_not_assigned", "18005550001", "in_stock"),
        ("used_not_assigned", "18005550150", "quarantined"),
        ("used_not_assigned", "18005550200", None),
    ]
