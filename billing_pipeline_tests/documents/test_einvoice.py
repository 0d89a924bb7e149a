import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from billing_pipeline.documents.einvoice.cii import cii_invoice
from billing_pipeline.documents.einvoice.facts import EInvoiceNotPossible, line_price
from billing_pipeline.documents.einvoice.ubl import ubl_invoice
from billing_pipeline.invoicing.document import ConvertedTax, InvoiceDocument
from billing_pipeline.vocabulary.money import from_minor_units
from billing_pipeline_tests.documents.builders import (
    credit_note,
    document_of,
    family_invoice,
    small_invoice,
)
from billing_pipeline_tests.documents.norm import (
    arithmetic_errors,
    artefacts,
    breaches_of_the_norm,
)
from billing_pipeline_tests.invoicing.builders import accounts, to_post

LINE = small_invoice().lines[0]
Build = Callable[[InvoiceDocument], bytes]
AUSTRIAN = {"country": "AT", "vat_number": "ATU12345675", "city": "Wien"}

STERLING = ConvertedTax("GBP", 406, Decimal("0.8550"), dt.date(2026, 2, 27), "ECB")
PUBLIC_BODY = {
    "buyer_reference": "04011000-1234512345-06",
    "electronic_address": "0204:04011000-1234512345-06",
    "einvoice_profile": "xrechnung",
}

MANDATE = {
    "payment_method": "direct_debit",
    "mandate_reference": "M-2026/17",
    "debited_iban": "DE02 1203 0000 0000 2020 51",
}

SCENARIOS = {
    "standard rate": small_invoice(),
    "two rates, discount, correction": family_invoice(0),
    "reverse charge": small_invoice(**AUSTRIAN),
    "reverse charge to Greece": small_invoice(country="GR", vat_number="EL123456783"),
    "consumer abroad": small_invoice(country="FR"),
    "export": small_invoice(country="US", region="NY"),
    "intra-community": document_of(to_post({"tax_category": "goods"}), accounts(AUSTRIAN)),
    "reduced rate": document_of(to_post({"tax_category": "reduced"})),
    "zero rate": document_of(to_post({"tax_category": "zero"})),
    "exempt": document_of(to_post({"tax_category": "exempt"})),
    "exempt beside standard": document_of(to_post({}, {"tax_category": "exempt"})),
    "outside scope": document_of(to_post({"tax_category": "deposit"})),
    "credit note": credit_note(),
    "half cents": document_of(to_post(*({"amount": "0.005"} for _ in range(50)))),
    "thirds": document_of(to_post({"amount": "0.83"}, {"amount": "0.83"}, {"amount": "0.84"})),
    "nothing to pay": document_of(to_post({}, {"amount": "-20", "charge_kind": "discount"})),
    "foreign currency": document_of(to_post({"currency": "USD"})),
    "tax also in the tax currency": replace(small_invoice(), converted_tax=STERLING),
    "credit note with tax in the tax currency": replace(credit_note(), converted_tax=STERLING),
    "surcharge": document_of(to_post({}, {"charge_kind": "termination", "amount": "50"})),
    "negative due": document_of(to_post({}, {"amount": "-45.55", "charge_kind": "discount"})),
    "collected by direct debit": small_invoice(payment_method="direct_debit"),
    "collected by mandate": small_invoice(**MANDATE),
    "XRechnung collected by mandate": small_invoice(**PUBLIC_BODY, **MANDATE),
    "collected by mandate in sterling": document_of(
        to_post({"currency": "GBP"}), accounts(MANDATE)
    ),
    "XRechnung by card": small_invoice(**{**PUBLIC_BODY, "payment_method": "card"}),
    "XRechnung": small_invoice(**PUBLIC_BODY),
    "Peppol": small_invoice(**{**PUBLIC_BODY, "einvoice_profile": "peppol"}),
    "currency without minor units": document_of(to_post({"currency": "JPY", "amount": "1500"})),
    "tiny unit price": document_of(
        to_post(
            {"amount": "0.88", "quantity": "12345.678", "unit": "GB", "unit_price": "0.0000713"}
        )
    ),
    "zero line": document_of(to_post({}, {"amount": "0", "charge_kind": "usage", "quantity": "0"})),
    "unprintable names": small_invoice(name="A & B <GmbH> \"quoted\" 'x' Żółć", street="]]>"),
}


def given_back(document: InvoiceDocument) -> InvoiceDocument:
    """The credit note that takes an invoice back in full: the same figures, the other kind."""
    number = "INV-2026-000007"
    sections = tuple(
        replace(part, lines=tuple(replace(line, corrects_invoice=number) for line in part.lines))
        for part in document.sections
    )
    return replace(document, kind="credit_note", sections=sections, corrects_invoice=number)


COLLECTED = {
    "collected by mandate": "59",
    "XRechnung collected by mandate": "59",
    "collected by mandate in sterling": "49",
}


@pytest.mark.parametrize(("name", "code"), COLLECTED.items())
def test_a_direct_debit_says_its_mandate_creditor_and_account(name: str, code: str) -> None:
    """BT-81, BT-89, BT-90 and BT-91, and none of them on a credit note."""
    cii, ubl = (etree.fromstring(build(SCENARIOS[name])) for build in (cii_invoice, ubl_invoice))
    credit = etree.fromstring(ubl_invoice(given_back(SCENARIOS[name])))

    def said(root: etree._Element, *paths: str) -> list[str]:
        return [root.findtext(f".//{{*}}{path}") or "" for path in paths]

    expected = [code, "M-2026/17", "DE98ZZZ09999999999", "DE02120300000000202051"]
    assert expected == said(
        cii,
        "SpecifiedTradeSettlementPaymentMeans/{*}TypeCode",
        "DirectDebitMandateID",
        "CreditorReferenceID",
        "PayerPartyDebtorFinancialAccount/{*}IBANID",
    )
    assert expected == said(
        ubl,
        "PaymentMeansCode",
        "PaymentMandate/{*}ID",
        "PartyIdentification/{*}ID[@schemeID='SEPA']",
        "PaymentMandate/{*}PayerFinancialAccount/{*}ID",
    )
    assert credit.find(".//{*}PaymentMandate") is None


CREDITED = {
    f"given back: {name}": given_back(document)
    for name, document in SCENARIOS.items()
    if not document.is_credit_note
}
EVERY_SCENARIO = pytest.mark.parametrize(
    "document",
    [pytest.param(document, id=name) for name, document in {**SCENARIOS, **CREDITED}.items()],
)
BOTH_SYNTAXES = pytest.mark.parametrize("build", [cii_invoice, ubl_invoice])


@EVERY_SCENARIO
@BOTH_SYNTAXES
def test_an_e_invoice_keeps_the_norm(document: InvoiceDocument, build: Build) -> None:
    assert breaches_of_the_norm(build(document)) == []


@EVERY_SCENARIO
@BOTH_SYNTAXES
def test_an_e_invoice_is_exact_to_the_cent(document: InvoiceDocument, build: Build) -> None:
    assert arithmetic_errors(build(document)) == []


@pytest.mark.parametrize(
    "name", ["bad_due_one_cent_cii.xml", "strictbad_vat_per_line_cii.xml",
             "strictbad_vat_per_line_ubl.xml", "strictbad_base_off_ubl.xml"]
)  # fmt: skip
def test_the_exact_judge_condemns_what_the_official_one_tolerates(name: str) -> None:
    sample = (artefacts() / "samples" / name).read_bytes()

    assert arithmetic_errors(sample) != []


def test_the_official_judge_condemns_what_is_wrong() -> None:
    wrong = cii_invoice(small_invoice()).replace(b">29.75<", b">29.76<")

    assert breaches_of_the_norm(wrong) != []


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(
            document_of(to_post({"currency": "KWD", "amount": "1.234"})), id="three decimals"
        ),
        pytest.param(
            replace(
                small_invoice(),
                seller=replace(small_invoice().seller, vat_number=None, tax_number=None),
            ),
            id="no tax registration",
        ),
    ],
)
@BOTH_SYNTAXES
def test_what_the_norm_cannot_say_is_refused(document: InvoiceDocument, build: Build) -> None:
    with pytest.raises(EInvoiceNotPossible, match="INV-2026-"):
        build(document)


@BOTH_SYNTAXES
def test_equal_documents_give_equal_xml(build: Build) -> None:
    assert build(small_invoice()) == build(small_invoice())


@settings(max_examples=200, deadline=None)
@given(
    net_minor=st.integers(-(10**9), 10**9),
    quantity=st.decimals(min_value=0, max_value=10**6, places=6),
    unit_price=st.none() | st.decimals(min_value=0, max_value=1000, places=6),
)
def test_quantity_times_price_is_always_the_line_net(
    net_minor: int, quantity: Decimal, unit_price: Decimal | None
) -> None:
    line = replace(LINE, net_minor=net_minor, quantity=quantity, unit_price=unit_price)

    priced = line_price(line, "EUR")

    product = priced.quantity * priced.price / (priced.base_quantity or Decimal(1))
    assert product == from_minor_units(net_minor, "EUR")
    assert priced.price >= 0


@pytest.mark.parametrize("build", [cii_invoice, ubl_invoice])
def test_a_public_body_finds_its_reference_its_address_and_the_rules_we_claim(build: Build) -> None:
    text = build(SCENARIOS["XRechnung"]).decode()

    assert text.count("04011000-1234512345-06") == 2
    assert 'schemeID="0204"' in text
    assert "urn:cen.eu:en16931:2017#compliant#urn:xeinkauf.de:kosit:xrechnung_3.0<" in text


@pytest.mark.parametrize("build", [cii_invoice, ubl_invoice])
def test_the_tax_stands_in_both_currencies(build: Build) -> None:
    text = build(SCENARIOS["tax also in the tax currency"]).decode()

    assert 'currencyID="EUR">4.75<' in text
    assert 'currencyID="GBP">4.06<' in text
    assert "TaxCurrencyCode>GBP<" in text
