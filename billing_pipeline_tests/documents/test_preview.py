import io
from pathlib import Path

import pdfplumber
import pytest
import yaml
from click.testing import CliRunner
from PIL import Image

from billing_pipeline.cli import template
from billing_pipeline.documents.chart import destination_shares
from billing_pipeline.documents.preview import check_templates, preview_pdf, sample_document
from billing_pipeline.documents.render import invoice_html
from billing_pipeline.documents.template_sets import (
    TemplateRefused,
    default_template_set,
    read_overrides,
    tenant_template_set,
    write_overrides,
)
from billing_pipeline_tests.invoicing.builders import TENANT


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.mark.pdf
def test_a_tenants_files_stand_over_ours(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        {
            "template.yaml": "sections: [letterhead, greeting, lines, totals]\n",
            "sections/greeting.html.j2": "<p>Ahoi {{ invoice.buyer.name }}</p>",
        },
    )

    with pdfplumber.open(io.BytesIO(preview_pdf(TENANT, tenant_template_set(folder)))) as pdf:
        text = pdf.pages[0].extract_text()

    assert "Ahoi Sample Customer Ltd" in text
    assert "IBAN" not in text


@pytest.mark.pdf
def test_the_templates_that_come_with_the_program_are_faultless() -> None:
    assert check_templates(TENANT, default_template_set()) == []


@pytest.mark.pdf
@pytest.mark.parametrize(
    ("files", "message"),
    [
        pytest.param(
            {"sections/message.html.j2": "\n{{ invoice.nothing }}"},
            "message.html.j2 row 2: sample invoice: UndefinedError",
            id="unknown field",
        ),
        pytest.param(
            {"sections/message.html.j2": "{% if %}"}, "TemplateSyntaxError", id="bad syntax"
        ),
        pytest.param({"template.yaml": "sections: []\n"}, "sections", id="no sections"),
        pytest.param(
            {"template.yaml": "sections: [lines]\ncolour: red\n"}, "colour", id="unknown setting"
        ),
        pytest.param({"email.html.j2": "{{ invoice.__class__ }}"}, "Security", id="sandbox"),
    ],
)
def test_a_template_that_fails_is_a_problem_before_any_customer_sees_it(
    tmp_path: Path, files: dict[str, str], message: str
) -> None:
    problems = check_templates(TENANT, tenant_template_set(write(tmp_path, files)))

    assert problems
    assert message in str(problems[0])


def test_a_template_folder_holds_templates_only(tmp_path: Path) -> None:
    write(tmp_path, {"run.py": "print()"})

    with pytest.raises(TemplateRefused, match=r"run\.py"):
        tenant_template_set(tmp_path)


def test_no_folder_is_the_default_set(tmp_path: Path) -> None:
    assert tenant_template_set(tmp_path / "none") == default_template_set()


def test_the_sample_adds_up() -> None:
    sample = sample_document(TENANT, "invoice")

    assert sum(line.net_minor for line in sample.lines) == sample.net_minor
    assert sample.net_minor + sample.tax_minor == sample.total_minor


@pytest.mark.pdf
def test_page_counts_that_would_be_wrong_are_refused(tmp_path: Path) -> None:
    css = default_template_set().content["invoice.css"] + "p::after { content: counter(pages) }"
    folder = write(tmp_path, {"invoice.css": css})

    (problem,) = check_templates(TENANT, tenant_template_set(folder))

    assert problem.file == "templates/invoice.css"
    assert "page_number.html.j2" in problem.message


def test_templates_are_written_as_they_were_read(tmp_path: Path) -> None:
    folder = write(tmp_path / "a", {"brand.css": "p { color: red }", "logo.svg": "<svg/>"})
    (folder / "logo.png").write_bytes(b"\x89PNG\r\n\x1a\nrest")

    write_overrides(tmp_path / "b", read_overrides(folder))

    assert read_overrides(tmp_path / "b") == read_overrides(folder)
    assert (tmp_path / "b" / "logo.png").read_bytes() == b"\x89PNG\r\n\x1a\nrest"


@pytest.mark.pdf
def test_a_png_logo_stands_on_the_document(tmp_path: Path) -> None:
    picture = io.BytesIO()
    Image.new("RGBA", (60, 20), (200, 30, 40, 128)).save(picture, "PNG")
    settings = "sections: [letterhead, lines, totals]\nlogo: logo.png\n"
    folder = write(tmp_path, {"template.yaml": settings})
    (folder / "logo.png").write_bytes(picture.getvalue())

    with pdfplumber.open(io.BytesIO(preview_pdf(TENANT, tenant_template_set(folder)))) as pdf:
        assert len(pdf.pages[0].images) == 1


@pytest.mark.pdf
def test_a_logo_that_is_not_there_is_named(tmp_path: Path) -> None:
    settings = "sections: [letterhead, lines, totals]\nlogo: logo.png\n"
    folder = write(tmp_path, {"template.yaml": settings})

    problems = check_templates(TENANT, tenant_template_set(folder))

    assert problems
    assert "names logo.png, which is not in the templates folder" in problems[0].message


@pytest.mark.pdf
def test_services_adjustments_and_tiers_stand_where_the_tenant_wants_them(tmp_path: Path) -> None:
    settings = "sections: [service_summary, lines, adjustments, tiers, totals, payment]\n"
    folder = write(tmp_path, {"template.yaml": settings})

    assert check_templates(TENANT, tenant_template_set(folder)) == []
    with pdfplumber.open(io.BytesIO(preview_pdf(TENANT, tenant_template_set(folder)))) as pdf:
        text = "\n".join(page.extract_text() for page in pdf.pages)

    services, charges, adjusted, tiers = (
        text.index(words)
        for words in ("Ihre Dienste", "Monthly fee", "Anpassungen", "So berechnet sich")
    )
    assert services < charges < adjusted < tiers
    assert "Loyalty discount" in text[adjusted:tiers]
    assert "bis 30 GB" in text[tiers:]
    assert "über 30 GB 100 GB 0,70 70,00" in text[tiers:]


def test_usage_is_drawn_by_day_by_destination_or_not_as_the_tenant_wants(tmp_path: Path) -> None:
    document = sample_document(TENANT, "invoice", 40)

    def drawn(kind: str) -> tuple[int, int]:
        settings = f"sections: [usage_summary]\nusage_chart: {kind}\n"
        html = invoice_html(
            document, tenant_template_set(write(tmp_path, {"template.yaml": settings}))
        )
        return html.count('class="chart"'), html.count('class="share"')

    rows = len(document.usage_totals)
    assert rows > 1
    assert {kind: drawn(kind) for kind in ("none", "daily", "destinations", "both")} == {
        "none": (0, 0),
        "daily": (1, 0),
        "destinations": (0, rows),
        "both": (1, rows),
    }
    assert max(destination_shares(document, "both")) == 100


@pytest.mark.pdf
def test_a_preview_is_shown_as_accounts_of_one_type_get_it(tmp_path: Path) -> None:
    folder = tmp_path / "brand"
    own = "templates/account_types/reseller/sections/message.html.j2"
    configured = yaml.safe_dump(TENANT.model_dump(mode="json"))
    write(folder, {"tenant.yaml": configured, own: "<p>Dear partner</p>"})
    out = tmp_path / "p.pdf"

    def shown(account_type: str) -> str:
        options = [str(folder), "--out", str(out), "--events", "0", "--account-type", account_type]
        said = CliRunner().invoke(template.preview, options).output
        if "wrote" not in said:
            return said
        with pdfplumber.open(out) as pdf:
            return pdf.pages[-1].extract_text()

    assert "Dear partner" in shown("reseller")
    assert "Dear partner" not in shown("")
    assert "types that have: reseller" in shown("private")


@pytest.mark.pdf
def test_a_preview_is_made_again_whenever_a_file_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "brand"
    write(folder, {"tenant.yaml": yaml.safe_dump(TENANT.model_dump(mode="json"))})
    blocks = ["{{ nothing }}", "<p>Ahoi</p>"]

    def change(_seconds: float) -> None:
        if not blocks:
            raise KeyboardInterrupt
        write(folder, {"templates/sections/message.html.j2": blocks.pop(0)})

    monkeypatch.setattr("billing_pipeline.cli.template.time.sleep", change)
    out = tmp_path / "p.pdf"
    options = [str(folder), "--out", str(out), "--events", "0", "--watch"]

    said = CliRunner().invoke(template.preview, options).output

    assert said.count("wrote") == 2
    assert "'nothing' is undefined" in said
    with pdfplumber.open(out) as pdf:
        assert "Ahoi" in pdf.pages[-1].extract_text()
