"""EN 16931 in UN/CEFACT Cross Industry Invoice D16B: the syntax of Factur-X and ZUGFeRD."""

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

_STANDARD = "urn:un:unece:uncefact:data:standard"
_NAMESPACES = {
    "rsm": f"{_STANDARD}:CrossIndustryInvoice:100",
    "ram": f"{_STANDARD}:ReusableAggregateBusinessInformationEntity:100",
    "udt": f"{_STANDARD}:UnqualifiedDataType:100",
    "qdt": f"{_STANDARD}:QualifiedDataType:100",
}


def cii_invoice(document: InvoiceDocument) -> bytes:
    """The document as CII, in the order of the D16B schema.

    Raises: EInvoiceNotPossible.
    """
    assert_possible(document)
    root = document_element("rsm:CrossIndustryInvoice", _NAMESPACES)
    context = add(root, "rsm:ExchangedDocumentContext")
    add(context, "ram:BusinessProcessSpecifiedDocumentContextParameter/ram:ID", PROCESS)
    add(context, "ram:GuidelineSpecifiedDocumentContextParameter/ram:ID", guideline(document))
    head = add(root, "rsm:ExchangedDocument")
    add(head, "ram:ID", document.invoice_number)
    add(head, "ram:TypeCode", type_code(document))
    _day(add(head, "ram:IssueDateTime"), document.issue_date)
    for number in document.corrected_invoices[1:]:
        # D16B has room for one preceding document only.
        add(head, "ram:IncludedNote/ram:Content", f"Corrects {number}")
    transaction = add(root, "rsm:SupplyChainTradeTransaction")
    for line in document.lines:
        _line(transaction, line, document.currency)
    _agreement(transaction, document)
    _delivery(transaction, document)
    _settlement(transaction, document)
    return serialise(root)


def _day(parent: Element, day: dt.date) -> None:
    add(parent, "udt:DateTimeString", day.strftime("%Y%m%d"), format="102")


def _line(parent: Element, line: Line, currency: str) -> None:
    priced = line_price(line, currency)
    item = add(parent, "ram:IncludedSupplyChainTradeLineItem")
    about = add(item, "ram:AssociatedDocumentLineDocument")
    add(about, "ram:LineID", str(line.line_number))
    if line.corrects_invoice:
        add(about, "ram:IncludedNote/ram:Content", f"Corrects {line.corrects_invoice}")
    add(item, "ram:SpecifiedTradeProduct/ram:Name", line.description)
    price = add(item, "ram:SpecifiedLineTradeAgreement/ram:NetPriceProductTradePrice")
    add(price, "ram:ChargeAmount", plain(priced.price))
    if priced.base_quantity is not None:
        base = plain(priced.base_quantity)
        add(price, "ram:BasisQuantity", base, unitCode=priced.unit_code)
    delivered = add(item, "ram:SpecifiedLineTradeDelivery")
    add(delivered, "ram:BilledQuantity", plain(priced.quantity), unitCode=priced.unit_code)
    settled = add(item, "ram:SpecifiedLineTradeSettlement")
    tax = add(settled, "ram:ApplicableTradeTax")
    add(tax, "ram:TypeCode", "VAT")
    add(tax, "ram:CategoryCode", line.tax_code)
    if line.tax_code != "O":
        add(tax, "ram:RateApplicablePercent", plain(line.tax_rate))
    _period(settled, line.service_from, line.service_to)
    total = "ram:SpecifiedTradeSettlementLineMonetarySummation/ram:LineTotalAmount"
    add(settled, total, money(line.net_minor, currency))
    if line.subscription_key:
        reference = add(settled, "ram:AdditionalReferencedDocument")
        add(reference, "ram:IssuerAssignedID", line.subscription_key)
        add(reference, "ram:TypeCode", "130")


def _period(parent: Element, first: dt.date, last: dt.date) -> None:
    period = add(parent, "ram:BillingSpecifiedPeriod")
    _day(add(period, "ram:StartDateTime"), first)
    _day(add(period, "ram:EndDateTime"), last)


def _agreement(parent: Element, document: InvoiceDocument) -> None:
    agreement = add(parent, "ram:ApplicableHeaderTradeAgreement")
    add(agreement, "ram:BuyerReference", buyer_reference(document))
    _party(add(agreement, "ram:SellerTradeParty"), document, document.seller, document.tenant_key)
    _party(add(agreement, "ram:BuyerTradeParty"), document, document.buyer, document.account_key)


def _party(parent: Element, document: InvoiceDocument, party: Party, key: str) -> None:
    add(parent, "ram:ID", key)
    add(parent, "ram:Name", party.name)
    add_known(parent, "ram:SpecifiedLegalOrganization/ram:ID", party.registration)
    if party is document.seller:
        contact = add(parent, "ram:DefinedTradeContact")
        add(contact, "ram:PersonName", party.name)
        add_known(contact, "ram:TelephoneUniversalCommunication/ram:CompleteNumber", party.phone)
        add_known(contact, "ram:EmailURIUniversalCommunication/ram:URIID", party.email)
    address = add(parent, "ram:PostalTradeAddress")
    add_known(address, "ram:PostcodeCode", party.postal_code)
    add_known(address, "ram:LineOne", party.street)
    add_known(address, "ram:CityName", party.city)
    add(address, "ram:CountryID", party.country)
    add_known(address, "ram:CountrySubDivisionName", party.region)
    if address_of := electronic_address(party):
        scheme, identifier = address_of
        add(parent, "ram:URIUniversalCommunication/ram:URIID", identifier, schemeID=scheme)
    registration = "ram:SpecifiedTaxRegistration/ram:ID"
    add_known(parent, registration, vat_identifier(document, party), schemeID="VA")
    add_known(parent, registration, party.tax_number, schemeID="FC")


def _delivery(parent: Element, document: InvoiceDocument) -> None:
    """Intra-community supplies name the country they go to (BR-IC-12)."""
    delivery = add(parent, "ram:ApplicableHeaderTradeDelivery")
    if any(group.tax_code == "K" for group in document.taxes):
        ship_to = add(delivery, "ram:ShipToTradeParty")
        add(ship_to, "ram:Name", document.buyer.name)
        address = add(ship_to, "ram:PostalTradeAddress")
        add_known(address, "ram:PostcodeCode", document.buyer.postal_code)
        add_known(address, "ram:CityName", document.buyer.city)
        add(address, "ram:CountryID", document.buyer.country)


def _settlement(parent: Element, document: InvoiceDocument) -> None:
    settlement = add(parent, "ram:ApplicableHeaderTradeSettlement")
    mandate = mandate_of(document)
    if mandate is not None:
        add(settlement, "ram:CreditorReferenceID", mandate.creditor_identifier)
    add(settlement, "ram:PaymentReference", document.payment.reference)
    if document.converted_tax is not None:
        add(settlement, "ram:TaxCurrencyCode", document.converted_tax.currency)
    add(settlement, "ram:InvoiceCurrencyCode", document.currency)
    _payment(settlement, document)
    for group in document.taxes:
        _tax(settlement, group, document.currency)
    _period(settlement, document.period_from, document.period_to)
    terms = add(settlement, "ram:SpecifiedTradePaymentTerms")
    add(terms, "ram:Description", payment_terms(document))
    if not document.is_credit_note:
        _day(add(terms, "ram:DueDateDateTime"), document.due_date)
    if mandate is not None:
        add(terms, "ram:DirectDebitMandateID", mandate.reference)
    _totals(settlement, document)
    for number in document.corrected_invoices[:1]:
        add(settlement, "ram:InvoiceReferencedDocument/ram:IssuerAssignedID", number)


def _payment(parent: Element, document: InvoiceDocument) -> None:
    code = payment_means(document)
    if code is None:
        return
    means = add(parent, "ram:SpecifiedTradeSettlementPaymentMeans")
    add(means, "ram:TypeCode", code)
    mandate = mandate_of(document)
    if mandate is not None:
        add(means, "ram:PayerPartyDebtorFinancialAccount/ram:IBANID", mandate.debited_iban)
    if not document.payment.is_known:
        return
    account = add(means, "ram:PayeePartyCreditorFinancialAccount")
    kind = "ram:IBANID" if document.payment.iban else "ram:ProprietaryID"
    if document.payment.iban:
        add(account, kind, payment_account(document))
    add(account, "ram:AccountName", document.seller.name)
    if not document.payment.iban:
        add(account, kind, payment_account(document))
    institution = "ram:PayeeSpecifiedCreditorFinancialInstitution/ram:BICID"
    add_known(means, institution, document.payment.bic)


def _tax(parent: Element, group: TaxGroup, currency: str) -> None:
    tax = add(parent, "ram:ApplicableTradeTax")
    add(tax, "ram:CalculatedAmount", money(group.tax_minor, currency))
    add(tax, "ram:TypeCode", "VAT")
    add_known(tax, "ram:ExemptionReason", _exemption(group))
    add(tax, "ram:BasisAmount", money(group.base_minor, currency))
    add(tax, "ram:CategoryCode", group.tax_code)
    add_known(tax, "ram:ExemptionReasonCode", EXEMPTION_CODES.get(group.tax_code))
    add(tax, "ram:RateApplicablePercent", plain(group.tax_rate))


def _exemption(group: TaxGroup) -> str | None:
    """Standard and zero rates may not carry a reason (BR-S-10, BR-Z-10)."""
    return None if group.tax_code in ("S", "Z") else group.exemption


def _totals(parent: Element, document: InvoiceDocument) -> None:
    currency = document.currency
    totals = add(parent, "ram:SpecifiedTradeSettlementHeaderMonetarySummation")
    add(totals, "ram:LineTotalAmount", money(document.net_minor, currency))
    add(totals, "ram:TaxBasisTotalAmount", money(document.net_minor, currency))
    add(totals, "ram:TaxTotalAmount", money(document.tax_minor, currency), currencyID=currency)
    if document.converted_tax is not None:
        other = document.converted_tax
        tax = money(other.tax_minor, other.currency)
        add(totals, "ram:TaxTotalAmount", tax, currencyID=other.currency)
    add(totals, "ram:GrandTotalAmount", money(document.total_minor, currency))
    add(totals, "ram:DuePayableAmount", money(document.total_minor, currency))
