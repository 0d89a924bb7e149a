"""A tenant's templates from its folder to the document a customer gets."""

import datetime as dt
import io
import shutil
from pathlib import Path

import pdfplumber
import pytest

from billing_pipeline.orchestration.configure import read_folders
from billing_pipeline.orchestration.simulate import render_documents, simulate
from billing_pipeline.orchestration.throwaway import installation_below
from billing_pipeline.vocabulary.problems import ConfigurationRefused

STORY = Path(__file__).parents[1] / "scenarios" / "reverse_charge_and_export" / "given"


def story_with(tmp_path: Path, files: dict[str, str]) -> Path:
    given = tmp_path / "given"
    shutil.copytree(STORY, given)
    for name, text in files.items():
        path = given / "acme" / "templates" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return given


def first_is_private(accounts: Path) -> None:
    """Make the first account of a file one of the type `private`, the others of no own type."""
    header, first, *others = accounts.read_text().splitlines()
    typed = [f"{header},account_type", f"{first},private", *(f"{row}," for row in others)]
    accounts.write_text("\n".join(typed) + "\n")


@pytest.mark.postgres
@pytest.mark.pdf
def test_documents_are_rendered_with_the_templates_of_the_tenants_folder(
    database_url: str, tmp_path: Path
) -> None:
    given = story_with(
        tmp_path,
        {
            "template.yaml": "sections: [letterhead, greeting, lines, totals]\n",
            "sections/greeting.html.j2": "<p>Ahoi {{ invoice.buyer.name }}</p>",
            "account_types/private/sections/greeting.html.j2": "<p>Servus</p>",
        },
    )
    first_is_private(given / "acme" / "accounts.csv")
    installation = installation_below(tmp_path, database_url)
    simulate(installation, given, dt.date(2026, 2, 1), tmp_path / "out")

    render_documents(installation, tmp_path / "pdf")

    files = sorted((tmp_path / "pdf").rglob("*.pdf"))
    texts = []
    for file in files:
        with pdfplumber.open(io.BytesIO(file.read_bytes())) as pdf:
            texts.append("\n".join(page.extract_text() for page in pdf.pages))
    assert [("Ahoi" in text, "Servus" in text) for text in texts].count((False, True)) == 1
    assert all(("Ahoi" in text) != ("Servus" in text) for text in texts)
    assert not any("BIC" in text for text in texts)


@pytest.mark.pdf
def test_a_folder_whose_template_fails_is_refused_by_file_and_line(tmp_path: Path) -> None:
    given = story_with(tmp_path, {"sections/message.html.j2": "<p>\n{{ invoice.nothing }}</p>"})

    with pytest.raises(ConfigurationRefused, match=r"templates/.*nothing"):
        read_folders(given)


@pytest.mark.pdf
def test_a_file_that_no_document_can_use_is_refused_by_name(tmp_path: Path) -> None:
    given = story_with(tmp_path, {"logo.exe": "MZ"})

    with pytest.raises(ConfigurationRefused, match=r"logo\.exe"):
        read_folders(given)


@pytest.mark.pdf
@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("account_types/privat/sections/message.html.j2", "no account is of this type"),
        ("account_types/business/sections/message.html.j2", "templates/.*nothing"),
    ],
)
def test_templates_of_an_account_type_are_tried_too(tmp_path: Path, file: str, says: str) -> None:
    text = "<p>{{ invoice.nothing }}</p>" if "business" in file else "<p></p>"

    with pytest.raises(ConfigurationRefused, match=says):
        read_folders(story_with(tmp_path, {file: text}))
