"""EN 16931 in OASIS UBL 2.1: the syntax of Peppol. Credit notes are documents of their own."""

import datetime as dt
from xml.etree.ElementTree import Element

from billing_pipeline.documents.einvoice.facts import (
    EXEMPTION_CODES,
    PROCESS,
    assert_possible,
    buyer_reference,
    electronic_address,
    guideline,
    line_price,
    mandate_of,
    money,
    payment_account,
    payment_means,
    payment_terms,
    plain,
    type_code,
    vat_identifier,
)
from billing_pipeline.documents.einvoice.markup import add, add_known, document_element, serialise
from billing_pipeline.invoicing.document import InvoiceDocument, Line, Party, TaxGroup

_UBL = "urn:oasis:names:specification:ubl:schema:xsd"
_COMPONENTS = {
    "cac": f"{_UBL}:CommonAggregateComponents-2",
    "cbc": f"{_UBL}:CommonBasicComponents-2",
}


def ubl_invoice(document: InvoiceDocument) -> bytes:
    """The document as UBL Invoice or CreditNote, in the order of the 2.1 schema.

    Raises: EInvoiceNotPossible.
    """
    assert_possible(document)
    kind = "CreditNote" if document.is_credit_note else "Invoice"
    root = document_element(kind, {"": f"{_UBL}:{kind}-2", **_COMPONENTS})
    add(root, "cbc:CustomizationID", guideline(document))
    add(root, "cbc:ProfileID", PROCESS)
    add(root, "cbc:ID", document.invoice_number)
    add(root, "cbc:IssueDate", document.issue_date.isoformat())
    if not document.is_credit_note:
        add(root, "cbc:DueDate", document.due_date.isoformat())
    add(root, f"cbc:{kind}TypeCode", type_code(document))
    add(root, "cbc:DocumentCurrencyCode", document.currency)
    if document.converted_tax is not None:
        add(root, "cbc:TaxCurrencyCode", document.converted_tax.currency)
    add(root, "cbc:BuyerReference", buyer_reference(document))
    _period(root, document.period_from, document.period_to)
    for number in document.corrected_invoices:
        add(root, "cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID", number)
    seller = add(root, "cac:AccountingSupplierParty/cac:Party")
    _party(seller, document, document.seller, document.tenant_key)
    buyer = add(root, "cac:AccountingCustomerParty/cac:Party")
    _party(buyer, document, document.buyer, document.account_key)
    _delivery(root, document)
    _payment(root, document)
    add(root, "cac:PaymentTerms/cbc:Note", payment_terms(document))
    _taxes(root, document)
    _totals(root, document)
    for line in document.lines:
        _line(add(root, f"cac:{kind}Line"), line, document)
    return serialise(root)


def _period(parent: Element, first: dt.date, last: dt.date) -> None:
    period = add(parent, "cac:InvoicePeriod")
    add(period, "cbc:StartDate", first.isoformat())
    add(period, "cbc:EndDate", last.isoformat())


def _party(parent: Element, document: InvoiceDocument, party: Party, key: str) -> None:
    if address_of := electronic_address(party):
        scheme, identifier = address_of
        add(parent, "cbc:EndpointID", identifier, schemeID=scheme)
    add(parent, "cac:PartyIdentification/cbc:ID", key)
    mandate = mandate_of(document)
    if party is document.seller and mandate is not None:
        # Where UBL keeps the creditor identifier (BT-90).
        creditor = mandate.creditor_identifier
        add(parent, "cac:PartyIdentification/cbc:ID", creditor, schemeID="SEPA")
    add(parent, "cac:PartyName/cbc:Name", party.name)
    address = add(parent, "cac:PostalAddress")
    add_known(address, "cbc:StreetName", party.street)
    add_known(address, "cbc:CityName", party.city)
    add_known(address, "cbc:PostalZone", party.postal_code)
    add_known(address, "cbc:CountrySubentity", party.region)
    add(address, "cac:Country/cbc:IdentificationCode", party.country)
    for number, scheme in ((vat_identifier(document, party), "VAT"), (party.tax_number, "TAX")):
        if number:
            registration = add(parent, "cac:PartyTaxScheme")
            add(registration, "cbc:CompanyID", number)
            add(registration, "cac:TaxScheme/cbc:ID", scheme)
    legal = add(parent, "cac:PartyLegalEntity")
    add(legal, "cbc:RegistrationName", party.name)
    add_known(legal, "cbc:CompanyID", party.registration)
    if party is document.seller:
        contact = add(parent, "cac:Contact")
        add(contact, "cbc:Name", party.name)
        add_known(contact, "cbc:Telephone", party.phone)
        add_known(contact, "cbc:ElectronicMail", party.email)


def _delivery(parent: Element, document: InvoiceDocument) -> None:
    """Intra-community supplies name the country they go to (BR-IC-12)."""
    if any(group.tax_code == "K" for group in document.taxes):
        address = add(parent, "cac:Delivery/cac:DeliveryLocation/cac:Address")
        add_known(address, "cbc:CityName", document.buyer.city)
        add_known(address, "cbc:PostalZone", document.buyer.postal_code)
        add(address, "cac:Country/cbc:IdentificationCode", document.buyer.country)


def _payment(parent: Element, document: InvoiceDocument) -> None:
    code = payment_means(document)
    if code is None:
        return
    means = add(parent, "cac:PaymentMeans")
    add(means, "cbc:PaymentMeansCode", code)
    add(means, "cbc:PaymentID", document.payment.reference)
    mandate = mandate_of(document)
    if mandate is not None:
        debit = add(means, "cac:PaymentMandate")
        add(debit, "cbc:ID", mandate.reference)
        add(debit, "cac:PayerFinancialAccount/cbc:ID", mandate.debited_iban)
    if not document.payment.is_known:
        return
    account = add(means, "cac:PayeeFinancialAccount")
    add(account, "cbc:ID", payment_account(document))
    add(account, "cbc:Name", document.seller.name)
    add_known(account, "cac:FinancialInstitutionBranch/cbc:ID", document.payment.bic)


def _taxes(parent: Element, document: InvoiceDocument) -> None:
    currency = document.currency
    total = add(parent, "cac:TaxTotal")
    add(total, "cbc:TaxAmount", money(document.tax_minor, currency), currencyID=currency)
    for group in document.taxes:
        part = add(total, "cac:TaxSubtotal")
        base, tax = money(group.base_minor, currency), money(group.tax_minor, currency)
        add(part, "cbc:TaxableAmount", base, currencyID=currency)
        add(part, "cbc:TaxAmount", tax, currencyID=currency)
        _category(part, group)
    if document.converted_tax is not None:
        other = document.converted_tax
        tax = money(other.tax_minor, other.currency)
        add(parent, "cac:TaxTotal/cbc:TaxAmount", tax, currencyID=other.currency)


def _category(parent: Element, group: TaxGroup) -> None:
    category = add(parent, "cac:TaxCategory")
    add(category, "cbc:ID", group.tax_code)
    add(category, "cbc:Percent", plain(group.tax_rate))
    if group.tax_code not in ("S", "Z"):
        # Standard and zero rates may not carry a reason (BR-S-10, BR-Z-10).
        add_known(category, "cbc:TaxExemptionReasonCode", EXEMPTION_CODES.get(group.tax_code))
        add_known(category, "cbc:TaxExemptionReason", group.exemption)
    add(category, "cac:TaxScheme/cbc:ID", "VAT")


def _totals(parent: Element, document: InvoiceDocument) -> None:
    totals = add(parent, "cac:LegalMonetaryTotal")
    for name, amount_minor in (
        ("LineExtensionAmount", document.net_minor),
        ("TaxExclusiveAmount", document.net_minor),
        ("TaxInclusiveAmount", document.total_minor),
        ("PayableAmount", document.total_minor),
    ):
        amount = money(amount_minor, document.currency)
        add(totals, f"cbc:{name}", amount, currencyID=document.currency)


def _line(parent: Element, line: Line, document: InvoiceDocument) -> None:
    currency = document.currency
    priced = line_price(line, currency)
    quantity = "cbc:CreditedQuantity" if document.is_credit_note else "cbc:InvoicedQuantity"
    add(parent, "cbc:ID", str(line.line_number))
    if line.corrects_invoice:
        add(parent, "cbc:Note", f"Corrects {line.corrects_invoice}")
    add(parent, quantity, plain(priced.quantity), unitCode=priced.unit_code)
    net = money(line.net_minor, currency)
    add(parent, "cbc:LineExtensionAmount", net, currencyID=currency)
    _period(parent, line.service_from, line.service_to)
    if line.subscription_key:
        reference = add(parent, "cac:DocumentReference")
        add(reference, "cbc:ID", line.subscription_key)
        add(reference, "cbc:DocumentTypeCode", "130")
    item = add(parent, "cac:Item")
    add(item, "cbc:Name", line.description)
    category = add(item, "cac:ClassifiedTaxCategory")
    add(category, "cbc:ID", line.tax_code)
    if line.tax_code != "O":
        add(category, "cbc:Percent", plain(line.tax_rate))
    add(category, "cac:TaxScheme/cbc:ID", "VAT")
    price = add(parent, "cac:Price")
    add(price, "cbc:PriceAmount", plain(priced.price), currencyID=currency)
    if priced.base_quantity is not None:
        base = plain(priced.base_quantity)
        add(price, "cbc:BaseQuantity", base, unitCode=priced.unit_code)
