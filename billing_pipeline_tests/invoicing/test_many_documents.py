"""A hundred thousand documents of random lines: what is printed sums to what is printed."""

from decimal import Decimal

import polars as pl
import pytest

from billing_pipeline.billing.schema import TO_POST
from billing_pipeline.catalog.taxes import TaxPart, TaxRate
from billing_pipeline.customers.schema import ACCOUNTS
from billing_pipeline.invoicing.issue import Drafts, draft_documents
from billing_pipeline.vocabulary.money import AMOUNT
from billing_pipeline_tests.invoicing.builders import (
    BILL_DAY,
    RATES,
    TENANT,
    accounts,
    to_post,
)

DOCUMENTS = 100_000
LINES = 3 * DOCUMENTS
CATEGORIES = ["standard", "reduced", "zero", "exempt", "stacked", "inside"]
MORE_RATES = (
    TaxRate(
        key="stacked",
        category="stacked",
        tax_code="S",
        percent=Decimal("8.875"),
        label="Sales tax",
        parts=[
            TaxPart(label="State", percent=Decimal(4)),
            TaxPart(label="City", percent=Decimal("4.5")),
            TaxPart(label="District", percent=Decimal("0.375")),
        ],
    ),
    TaxRate(
        key="inside",
        category="inside",
        tax_code="S",
        percent=Decimal(10),
        label="GST",
        is_included=True,
    ),
)


def random_of(low: int, high: int, seed: int) -> pl.Series:
    """Whole numbers that look random and are always the same."""
    steps = pl.Series(range(LINES), dtype=pl.UInt64)
    return (steps.hash(seed) % (high - low)).cast(pl.Int64) + low


def many_charges() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Charges of random accounts, categories and sizes, a tenth of them credits."""
    keys = pl.format("C-{}", random_of(0, DOCUMENTS, 1))
    sizes = random_of(-3_000_000, 30_000_000, 2).cast(AMOUNT) * Decimal("0.00001")
    drawn = pl.DataFrame({"size": sizes, "category": random_of(0, len(CATEGORIES), 3)})
    names = dict(enumerate(CATEGORIES))
    charges = (
        to_post({})
        .drop("charge_key", "account_key", "amount", "difference", "tax_category")
        .join(drawn, how="cross")
        .with_columns(
            charge_key=pl.int_range(pl.len()).cast(pl.String),
            account_key=keys,
            amount=pl.col("size").cast(AMOUNT),
            difference=pl.col("size").cast(AMOUNT),
            tax_category=pl.col("category").replace_strict(names),
        )
        .select(TO_POST.names)
    )
    billed = charges.select("account_key").unique().sort("account_key")
    owners = accounts({}).drop("account_key", "payer_key").join(billed, how="cross")
    return charges, owners.with_columns(payer_key="account_key").select(ACCOUNTS.names)


@pytest.fixture(scope="module")
def drafts() -> Drafts:
    charges, billed = many_charges()
    return draft_documents(charges, billed, TENANT, (*RATES, *MORE_RATES), BILL_DAY)


@pytest.mark.slow
def test_lines_taxes_and_totals_of_every_document_sum(drafts: Drafts) -> None:
    lines = drafts.lines.group_by("invoice_key").agg(lines_net=pl.col("net_minor").sum())
    taxes = drafts.taxes.group_by("invoice_key").agg(
        pl.col("base_minor").sum(), taxes_sum=pl.col("tax_minor").sum()
    )

    printed = drafts.invoices.join(lines, on="invoice_key").join(taxes, on="invoice_key")

    assert printed.height == drafts.invoices.height > 90_000
    wrong = printed.filter(
        (pl.col("net_minor") != pl.col("lines_net"))
        | (pl.col("net_minor") != pl.col("base_minor"))
        | (pl.col("tax_minor") != pl.col("taxes_sum"))
        | (pl.col("total_minor") != pl.col("net_minor") + pl.col("tax_minor"))
    )
    assert wrong.is_empty()


@pytest.mark.slow
def test_every_tax_group_is_its_base_times_its_rate(drafts: Drafts) -> None:
    plain = drafts.taxes.filter(pl.col("parts").is_null() & (pl.col("tax_label") != "GST"))
    exact = plain["base_minor"].cast(AMOUNT) * plain["tax_rate"].cast(AMOUNT) * Decimal("0.01")

    assert (exact.round(0, mode="half_away_from_zero") == plain["tax_minor"].cast(AMOUNT)).all()


@pytest.mark.slow
def test_the_parts_of_stacked_taxes_sum_to_the_group(drafts: Drafts) -> None:
    stacked = drafts.taxes.filter(pl.col("tax_label") == "Sales tax")
    kind = pl.List(pl.Struct({"label": pl.String, "percent": pl.String, "tax_minor": pl.Int64}))
    parts = stacked["parts"].str.json_decode(kind)

    sums = parts.list.eval(pl.element().struct.field("tax_minor")).list.sum()
    assert stacked.height > 10_000
    assert (sums == stacked["tax_minor"]).all()


@pytest.mark.slow
def test_prices_with_tax_inside_are_owed_to_the_cent(drafts: Drafts) -> None:
    charges, _ = many_charges()
    promised = (
        charges.filter(pl.col("tax_category") == "inside")
        .with_columns(minor=(pl.col("amount") * 100).round(0, mode="half_away_from_zero"))
        .group_by("account_key")
        .agg(promised=pl.col("minor").sum().cast(pl.Int64))
    )
    inside = drafts.taxes.filter(pl.col("tax_label") == "GST").join(
        drafts.invoices.select("invoice_key", "account_key"), on="invoice_key"
    )

    owed = inside.join(promised, on="account_key", validate="1:1")

    assert owed.height > 10_000
    assert (owed["base_minor"] + owed["tax_minor"] == owed["promised"]).all()
