"""Stacked taxes, taxes inside prices, tax in another currency, engines of other packages."""

import datetime as dt
import json
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_pipeline.catalog.fx_rates import FxRate
from billing_pipeline.catalog.taxes import TaxPart, TaxRate
from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.invoicing.issue import draft_documents
from billing_pipeline.invoicing.tax import TAX_RATE, choose_rates
from billing_pipeline.invoicing.tax_engine import TaxEngineBroke
from billing_pipeline_tests.invoicing.builders import BILL_DAY, RATES, TENANT, accounts, to_post

QUEBEC = TaxRate(
    key="qc",
    country="CA",
    region="QC",
    tax_code="S",
    percent=Decimal("14.975"),
    label="GST + QST",
    parts=[
        TaxPart(label="GST 5 %", percent=Decimal(5)),
        TaxPart(label='QST 9.975 % "TVQ"', percent=Decimal("9.975")),
    ],
)
INCLUDED = TaxRate(
    key="at", country="AT", tax_code="S", percent=Decimal(20), label="USt.", is_included=True
)
IN_STERLING = TENANT.model_copy(
    update={"legal_entity": TENANT.legal_entity.model_copy(update={"tax_currency": "GBP"})}
)


def fx(rate: str, day: dt.date) -> FxRate:
    return FxRate(
        from_currency="EUR", to_currency="GBP", rate=Decimal(rate), valid_from=day, source="ECB"
    )


def test_stacked_taxes_are_rounded_one_by_one() -> None:
    # 33.30: GST 1.665 -> 1.67, QST 3.321675 -> 3.32, together 4.99; 14.975 % at once is 4.986675.
    # 0.10: GST 0.005 -> 0.01, QST 0.009975 -> 0.01, together 0.02; 14.975 % at once is 0.01.
    customer = accounts({"country": "CA", "region": "QC"})

    drafts = draft_documents(to_post({"amount": "0.10"}), customer, TENANT, [QUEBEC], BILL_DAY)

    assert drafts.taxes["tax_minor"].to_list() == [2]
    assert drafts.invoices["total_minor"].to_list() == [12]
    assert json.loads(drafts.taxes["parts"][0]) == [
        {"label": "GST 5 %", "percent": "5", "tax_minor": 1},
        {"label": 'QST 9.975 % "TVQ"', "percent": "9.975", "tax_minor": 1},
    ]


def test_parts_that_are_not_the_whole_are_refused() -> None:
    with pytest.raises(ValueError, match="percent is 14, but its parts sum to 5"):
        TaxRate(
            key="x",
            tax_code="S",
            percent=Decimal(14),
            label="x",
            parts=[TaxPart(label="GST", percent=Decimal(5))],
        )


def test_prices_with_tax_inside_are_paid_as_they_were_promised() -> None:
    # Three fees of 9.99 are 29.97; tax 29.97 x 20/120 = 4.995 -> 5.00; 24.97 is 8.33 + 8.32 x 2.
    fees = to_post(*({"amount": "9.99"} for _ in range(3)))

    drafts = draft_documents(fees, accounts({"country": "AT"}), TENANT, [INCLUDED], BILL_DAY)

    assert drafts.invoices["total_minor"].to_list() == [2997]
    assert drafts.taxes["tax_minor"].to_list() == [500]
    assert sorted(drafts.lines["net_minor"].to_list()) == [832, 832, 833]


@given(amounts=st.lists(st.integers(min_value=-5000, max_value=50_000), min_size=1, max_size=20))
def test_lines_and_tax_inside_prices_are_the_sum_of_the_prices(amounts: list[int]) -> None:
    fees = to_post(*({"amount": str(Decimal(amount) / 100)} for amount in amounts))

    drafts = draft_documents(fees, accounts({"country": "AT"}), TENANT, [INCLUDED], BILL_DAY)

    if any(amounts):
        assert drafts.invoices["total_minor"].to_list() == [sum(amounts)]
        assert drafts.lines["net_minor"].sum() == drafts.invoices["net_minor"][0]


def test_tax_is_also_stated_in_the_currency_it_is_accounted_in() -> None:
    # 20.00 EUR at 19 % is 3.80 EUR; at 0.8550 of 27 February that is 3.249 -> 3.25 GBP.
    rates = [
        fx("0.8400", dt.date(2026, 2, 1)),
        fx("0.8550", dt.date(2026, 2, 27)),
        fx("0.9900", dt.date(2026, 3, 2)),
    ]

    drafts = draft_documents(to_post({}), accounts(), IN_STERLING, RATES, BILL_DAY, fx_rates=rates)

    row = drafts.invoices.row(0, named=True)
    assert (row["tax_minor"], row["tax_currency"], row["tax_currency_minor"]) == (380, "GBP", 325)
    assert (row["fx_rate"], row["fx_date"]) == (Decimal("0.8550"), dt.date(2026, 2, 27))
    assert row["fx_source"] == "ECB"


def test_without_a_rate_the_account_waits() -> None:
    drafts = draft_documents(to_post({}), accounts(), IN_STERLING, RATES, BILL_DAY)

    assert drafts.invoices.is_empty()
    assert drafts.held["reason"].to_list() == ["no_fx_rate"]
    assert "currency EUR" in drafts.held["detail"][0]


def test_an_engine_of_another_package_decides() -> None:
    def doubled(lines: pl.DataFrame, tenant: Tenant) -> pl.DataFrame:
        decided = choose_rates(lines, RATES, tenant.legal_entity.country)
        return decided.with_columns((pl.col("tax_rate") * 2).cast(TAX_RATE))

    drafts = draft_documents(to_post({}), accounts(), TENANT, (), BILL_DAY, engine=doubled)

    assert drafts.taxes["tax_minor"].to_list() == [760]


def test_an_engine_that_changes_lines_is_stopped() -> None:
    def thief(lines: pl.DataFrame, tenant: Tenant) -> pl.DataFrame:
        decided = choose_rates(lines, RATES, tenant.legal_entity.country)
        return decided.with_columns(net_minor=pl.lit(0, pl.Int64))

    with pytest.raises(TaxEngineBroke, match="other lines"):
        draft_documents(to_post({}), accounts(), TENANT, (), BILL_DAY, engine=thief)


def test_a_correction_of_a_price_with_tax_inside_gives_back_what_was_promised() -> None:
    # 9.99 was posted, 8.33 net; 4.99 is owed: 5.00 goes back, 4.17 net and 0.83 tax.
    charge = {
        "amount": "4.99",
        "posted_amount": "9.99",
        "posted_minor": 833,
        "posting_number": 2,
        "corrects_invoice": "INV-2026-000007",
    }

    drafts = draft_documents(
        to_post(charge), accounts({"country": "AT"}), TENANT, [INCLUDED], BILL_DAY
    )

    assert drafts.invoices.select("net_minor", "tax_minor").row(0) == (-417, -83)
