import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from billing_pipeline.catalog.taxes import TaxRate
from billing_pipeline.invoicing.issue import draft_documents
from billing_pipeline_tests.invoicing.builders import (
    BILL_DAY,
    RATES,
    TENANT,
    accounts,
    draft,
    to_post,
)


# Half cents: each net is rounded half away from zero before anything is summed.
@pytest.mark.parametrize(
    ("amounts", "nets", "tax", "total"),
    [
        # 2.50 x 19 % = 0.475: once over the document 0.48; three lines alone would give 0.48.
        pytest.param(["0.83", "0.83", "0.84"], [83, 83, 84], 48, 298, id="thirds"),
        # Per line 0.05 x 19 % = 0.0095 -> 0.01, fifty times 0.50; over the document 0.475 -> 0.48.
        pytest.param(["0.05"] * 50, [5] * 50, 48, 298, id="fifty small lines"),
        pytest.param(["0.005"], [1], 0, 1, id="half a cent is a cent"),
        pytest.param(["0.0049999999"], [], None, None, id="less than half a cent is nothing"),
        pytest.param(["2.675"], [268], 51, 319, id="2.675 is not a float"),
    ],
)
def test_tax_is_computed_once_over_the_document(
    amounts: list[str], nets: list[int], tax: int | None, total: int | None
) -> None:
    drafts = draft(to_post(*({"amount": amount} for amount in amounts)))

    assert drafts.lines["net_minor"].to_list() == nets
    assert drafts.invoices["tax_minor"].to_list() == ([] if tax is None else [tax])
    assert drafts.invoices["total_minor"].to_list() == ([] if total is None else [total])


def test_each_rate_has_its_own_group() -> None:
    drafts = draft(
        to_post({"amount": "10.10"}, {"amount": "3.33", "tax_category": "reduced"}, {"amount": "1"})
    )

    groups = drafts.taxes.select("tax_rate", "base_minor", "tax_minor").rows()
    # 11.10 x 19 % = 2.109; 3.33 x 7 % = 0.2331
    assert groups == [(Decimal("19.0000"), 1110, 211), (Decimal("7.0000"), 333, 23)]


@pytest.mark.parametrize(
    ("customer", "expected"),
    [
        pytest.param({"country": "DE"}, ("S", 19), id="at home"),
        pytest.param({"country": "DE", "vat_number": "DE136695976"}, ("S", 19), id="home business"),
        pytest.param({"country": "AT", "vat_number": "ATU12345675"}, ("AE", 0), id="EU business"),
        pytest.param({"country": "GR", "vat_number": "EL123456783"}, ("AE", 0), id="Greece is EL"),
        pytest.param({"country": "FR", "vat_number": None}, ("S", 20), id="EU consumer, OSS"),
        pytest.param(
            {"country": "FR", "vat_number": "FR40303265045"},
            ("AE", 0),
            id="a VAT number goes before the country's rate",
        ),
        pytest.param(
            {"country": "FR", "vat_number": "ATU12345675"},
            ("S", 20),
            id="another country's number is no proof",
        ),
        pytest.param({"country": "US", "vat_number": "12-3456789"}, ("G", 0), id="export"),
    ],
)
def test_the_rate_follows_the_customer(customer: dict[str, Any], expected: tuple[str, int]) -> None:
    drafts = draft(to_post({}), accounts(customer))

    assert drafts.lines.select("tax_code", "tax_rate").row(0) == expected


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("de_AT", "Steuerschuldnerschaft des Leistungsempfängers (Reverse charge)"),
        ("en_IE", "Reverse charge"),
        ("et_EE", "Reverse charge"),
    ],
)
def test_reverse_charge_is_said_in_the_customers_language(language: str, words: str) -> None:
    business = {"country": "AT", "vat_number": "ATU12345675", "language": language}

    drafts = draft(to_post({}), accounts(business))

    assert drafts.taxes["exemption"].to_list() == [words]
    assert drafts.invoices["tax_minor"].to_list() == [0]


@pytest.mark.parametrize(
    ("language", "label", "exemption"),
    [
        ("de_DE", "USt 0 %", "Steuerfrei nach § 4 UStG"),
        ("en_GB", "VAT 0 %", "Exempt from tax (UK)"),
        ("en-GB", "VAT 0 %", "Exempt from tax (UK)"),
        ("en_US", "VAT 0 %", "Exempt from tax"),
        ("fr_FR", "USt 0 %", "Steuerfrei nach § 4 UStG"),
    ],
)
def test_a_rate_is_called_in_the_customers_language_else_as_it_is_called(
    language: str, label: str, exemption: str
) -> None:
    english = {"label": "VAT 0 %", "exemption": "Exempt from tax"}
    rate = TaxRate.model_validate(
        {
            "key": "exempt",
            "tax_code": "E",
            "percent": 0,
            "label": "USt 0 %",
            "exemption": "Steuerfrei nach § 4 UStG",
            "in_locales": {
                "en": english,
                "en_GB": {"exemption": "Exempt from tax (UK)"},
            },
        }
    )
    customer = accounts({"language": language})

    drafts = draft_documents(to_post({}), customer, TENANT, [rate], BILL_DAY)

    assert drafts.taxes.select("tax_label", "exemption").rows() == [(label, exemption)]


@pytest.mark.parametrize("locale", ["de-AT", "de_at", "german", "xx_XX"])
def test_words_in_what_is_no_locale_are_refused(locale: str) -> None:
    words = {locale: {"label": "USt"}}

    with pytest.raises(ValidationError, match=f"'{locale}' is not a locale such as en_GB"):
        TaxRate.model_validate(
            {"key": "s", "tax_code": "S", "percent": 20, "label": "VAT", "in_locales": words}
        )


@pytest.mark.parametrize(
    ("service", "bill_from", "rate"),
    [
        pytest.param(("2020-06-01", "2020-07-01"), "2020-07-01", 19, id="June, billed in July"),
        pytest.param(("2020-07-01", "2020-08-01"), "2020-08-01", 16, id="July"),
        pytest.param(("2020-12-15", "2021-01-15"), "2020-12-15", 16, id="billed in advance"),
    ],
)
def test_the_rate_is_that_of_the_service_also_for_a_correction_years_later(
    service: tuple[str, str], bill_from: str, rate: int
) -> None:
    from_, until = (dt.date.fromisoformat(day) for day in service)
    rates = [
        RATES[0].model_copy(update={"valid_until": dt.date(2020, 7, 1)}),
        RATES[0].model_copy(
            update={
                "key": "de-16",
                "percent": Decimal(16),
                "valid_from": dt.date(2020, 7, 1),
                "valid_until": dt.date(2021, 1, 1),
            }
        ),
        RATES[0].model_copy(update={"key": "de-19", "valid_from": dt.date(2021, 1, 1)}),
    ]
    charge = {
        "service_from": from_,
        "service_until": until,
        "bill_from": dt.date.fromisoformat(bill_from),
        "posting_number": 2,
        "posted_amount": "10",
        "posted_minor": 1000,
    }

    drafts = draft_documents(to_post(charge), accounts(), TENANT, rates, BILL_DAY)

    assert drafts.lines["tax_rate"].to_list() == [rate]
