"""The printed month: its figures are those of the story, worked by hand there."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from io import BytesIO
from pathlib import Path

import dagster as dg
import pdfplumber
import polars as pl
import pytest
from click.testing import CliRunner

from billing_pipeline.accounting.report import margins, usage_trend
from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.plans import Plan
from billing_pipeline.cli import billing
from billing_pipeline.definitions import defs
from billing_pipeline.documents.report_charts import bars, column_chart
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.partitions import add_tenants
from billing_pipeline.orchestration.simulate import simulate
from billing_pipeline.vocabulary.money import AMOUNT, QUANTITY

STORY = Path(__file__).parents[1] / "scenarios" / "a_month_is_closed_and_corrected" / "given"


def test_columns_stand_on_the_line_as_high_as_their_size() -> None:
    chart = column_chart([("Jan", 100, "1.00"), ("Feb", 50, "0.50"), ("Mar", -100, "-1.00")])

    assert chart is not None
    assert [column.height for column in chart.columns] == [138, 69, 138]
    assert [column.y + column.height for column in chart.columns] == [160, 160, 160]
    assert [column.is_negative for column in chart.columns] == [False, False, True]


def test_many_columns_have_few_labels_and_nothing_has_no_chart() -> None:
    chart = column_chart([(str(day), day, str(day)) for day in range(1, 32)])

    assert chart is not None
    assert sum(bool(column.label) for column in chart.columns) == 11
    assert not any(column.value for column in chart.columns)
    assert column_chart([]) is None
    assert column_chart([("Jan", 0, "0")]) is None


def test_bars_are_as_long_as_their_share_of_the_longest() -> None:
    assert [bar.percent for bar in bars([("a", 200, ""), ("b", 50, ""), ("c", 0, "")])] == [
        100,
        25,
        0,
    ]


RATED = pl.LazyFrame(
    {
        "product_key": "calls",
        "price_key": "minutes",
        "rate_name": ["London", "Mars", "Mars", "Rome"],
        "currency": "GBP",
        "started_at": [dt.datetime(2026, 1, day, 23, 30, tzinfo=dt.UTC) for day in (1, 1, 2, 3)],
        "billable_units": Decimal(60),
        "amount": [Decimal("0.05"), Decimal("0.01"), Decimal("0.01"), Decimal("1.00")],
        "cost_amount": [Decimal("0.03"), Decimal("0.04"), Decimal("0.04"), None],
    },
    schema_overrides={"amount": AMOUNT, "cost_amount": AMOUNT, "billable_units": QUANTITY},
).with_columns(pl.col("started_at").dt.cast_time_unit("us"))


def test_the_smallest_margin_stands_first_and_unknown_cost_is_left_out() -> None:
    found = margins(RATED, Catalog())

    assert found.select("rate_name", "events", "margin").rows() == [
        ("Mars", 2, Decimal("-0.06")),
        ("London", 1, Decimal("0.02")),
    ]


def test_a_margin_names_the_supplier_whose_deck_the_cost_came_from() -> None:
    prices = [
        {"key": "minutes", "model": "rate_card", "card": "retail", "cost_deck": "carrier"},
        {"key": "resold", "model": "cost_plus", "cost_deck": "cloud"},
    ]
    plan = Plan.model_validate(
        {
            "key": "basic",
            "name": "Basic",
            "currency": "GBP",
            "prices": [
                {"product": "calls", "applies_to": {"usage_type": "voice"}, **price}
                for price in prices
            ],
        }
    )
    resold = RATED.head(1).with_columns(price_key=pl.lit("resold"))

    found = margins(pl.concat([RATED, resold]), Catalog(plans=(plan,)))

    assert found.select("rate_name", "supplier", "margin").rows() == [
        ("Mars", "carrier", Decimal("-0.06")),
        ("London", "carrier", Decimal("0.02")),
        ("London", "cloud", Decimal("0.02")),
    ]


def test_usage_is_counted_on_the_local_day() -> None:
    days = usage_trend(RATED, "Europe/Berlin")["local_date"].to_list()

    assert days == [dt.date(2026, 1, day) for day in (2, 3, 4)]


@pytest.fixture(scope="module")
def installation(
    tmp_path_factory: pytest.TempPathFactory, module_database_url: str
) -> Iterator[Installation]:
    """The story up to March, which both ways to print it only read."""
    home = tmp_path_factory.mktemp("report")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("BILLING_HOME", str(home))
        environment.setenv("BILLING_DATABASE_URL", module_database_url)
        made = Installation.from_environment()
        simulate(made, STORY, dt.date(2026, 3, 3), home / "out")
        yield made
        made.engine.dispose()


def text_of(pdf: bytes) -> str:
    with pdfplumber.open(BytesIO(pdf)) as document:
        return "\n".join(page.extract_text() for page in document.pages)


@pytest.mark.usefixtures("installation")
@pytest.mark.postgres
@pytest.mark.scenario
@pytest.mark.pdf
def test_a_month_is_printed_with_the_figures_of_its_books(tmp_path: Path) -> None:
    out = tmp_path / "report"

    result = CliRunner().invoke(
        billing,
        ["report", "acme", "--period", "2026-02", "--out", str(out)],
        catch_exceptions=False,
    )

    assert result.exit_code == 0, result.output
    text = text_of((out / "report-acme-2026-02.pdf").read_bytes())
    # 7.00 of calls, 29.39 earned, 1.00 accrued, less the 5.00 taken back: 32.39; January 21.00.
    assert "$32.39" in text
    assert "$11.39" in text
    assert "Receivables USD 38.00 69.00" in text
    assert "(A-1) USD 31.00 38.00 7.00" in text
    # 31.00 + 31.00 - 16.00 - 29.39 is still to be earned.
    assert "Deferred revenue USD -1.61 -16.61" in text
    assert "Unbilled revenue USD -4.00 1.00" in text
    # By category: 7.00 of calls and 1.00 accrued, less the 5.00; the fees have no category.
    assert "Telephony 3.00" in text
    assert "without category 29.39" in text
    table = {file.stem: pl.read_csv(file) for file in out.glob("*.csv")}
    # 31.00 of 16 January were due on the 30th, 38.00 of 16 February are due on 2 March.
    aged = ("not_due_minor", "days_1_30_minor", "over_90_minor", "open_minor")
    assert table["aged"].select(aged).rows() == [(3800, 3100, 0, 6900)]
    run = ("bill_day", "net_minor", "previous_net_minor", "change_percent")
    assert table["bill_runs"].select(run).rows() == [("2026-02-16", 3800, 3100, 22.6)]
    moved = ("net_minor", "previous_net_minor", "change_minor")
    assert table["movers"].select(moved).rows() == [(3800, 3100, 700)]
    assert table["taxes"].select("base_minor", "tax_minor").rows() == [(3800, 0)]
    # 20 minutes of 20 February.
    assert table["usage"].select("local_date", "units").rows() == [("2026-02-20", 1200)]
    revenue = table["revenue"]
    assert revenue["revenue_minor"].sum() == 2100 + 3239


@pytest.mark.postgres
@pytest.mark.scenario
@pytest.mark.dagster
def test_the_asset_keeps_the_report_in_the_store(installation: Installation) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        add_tenants(instance, ["acme"])
        key = dg.MultiPartitionKey({"month": "2026-02-01", "tenant": "acme"})
        result = defs.resolve_job_def("print_report").execute_in_process(
            instance=instance, partition_key=key
        )

    assert result.success
    stored = sorted(path.suffix for path in Path(installation.documents_url).rglob("report-*"))
    assert stored == [".html", ".pdf"]
