"""From frames to the document model: one document, or all of a bill run."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from billing_pipeline.catalog.plans import Product
from billing_pipeline.customers.tenant import LegalEntity, PaymentMethod, Tenant
from billing_pipeline.invoicing.document import (
    InvoiceDocument,
    Party,
    PaymentDetails,
    Statement,
)
from billing_pipeline.invoicing.document_parts import Mandate
from billing_pipeline.invoicing.grouping import printed_lines
from billing_pipeline.invoicing.sections import headings, sections
from billing_pipeline.invoicing.tax_groups import converted_tax, tax_groups
from billing_pipeline.invoicing.tiers import TieredPrice, tiered_lines
from billing_pipeline.invoicing.usage import usage_by_day, usage_totals
from billing_pipeline.rating.schema import RATED_USAGE

_DOCUMENT = [
    "invoice_key",
    "invoice_number",
    "due_date",
    "period_from",
    "period_until",
    "currency",
    "account_key",
    "corrects_invoice",
]
_BUYER = [
    "name",
    "street",
    "city",
    "postal_code",
    "region",
    "country",
    "vat_number",
    "email",
    "electronic_address",
]


@dataclasses.dataclass(frozen=True, eq=False)
class Beside:
    """What documents tell beside their own rows.

    `statements` are balances by `invoice_number`; `products` name what is sold, where lines or
    sections are put together by it; `categories` are names of product categories by key;
    `tiered_prices` by key explain usage by tiers.
    """

    statements: pl.DataFrame | None = None
    products: Mapping[str, Product] = dataclasses.field(default_factory=dict)
    categories: Mapping[str, str] = dataclasses.field(default_factory=dict)
    tiered_prices: Mapping[str, Sequence[TieredPrice]] = dataclasses.field(default_factory=dict)


NOTHING_BESIDE = Beside()


class DocumentDoesNotAddUp(Exception):
    """The parts of a document do not sum to its totals; it must not be printed."""


def invoice_document(
    document: pl.DataFrame,
    lines: pl.DataFrame,
    taxes: pl.DataFrame,
    tenant: Tenant,
    accounts: pl.DataFrame,
    *,
    itemisation: pl.DataFrame | None = None,
    beside: Beside = NOTHING_BESIDE,
) -> InvoiceDocument:
    """Build the model of one document.

    `document` is one row of INVOICES with `invoice_number`; `lines` and `taxes` are its
    INVOICE_LINES and INVOICE_TAXES; `accounts` hold at least the payer and the accounts on the
    lines; `itemisation` is the RATED_USAGE behind it.
    Raises: DocumentDoesNotAddUp if parts and totals differ by a minor unit.
    """
    row = document.row(0, named=True)
    payer = accounts.row(by_predicate=pl.col("account_key") == row["account_key"], named=True)
    sign = -1 if row["document_kind"] == "credit_note" else 1
    usage = RATED_USAGE.empty() if itemisation is None else itemisation.select(RATED_USAGE.names)
    gathered_by = tenant.invoice_sections
    names = headings(gathered_by, beside.products, beside.categories)
    printed = printed_lines(lines, usage, tenant.invoice_lines, beside.products, tenant.time_zone)
    built = InvoiceDocument(
        **{name: row[name] for name in _DOCUMENT},
        kind=row["document_kind"],
        issue_date=row["bill_day"],
        net_minor=sign * row["net_minor"],
        tax_minor=sign * row["tax_minor"],
        total_minor=sign * row["total_minor"],
        tenant_key=tenant.key,
        brand=tenant.name,
        branding=tenant.branding_in(payer["language"]),
        time_zone=tenant.time_zone,
        locale=payer["language"],
        seller=seller_party(tenant.legal_entity),
        buyer=Party(**{name: payer[name] for name in _BUYER}),
        sections=sections(printed, accounts, sign, gathered_by, names),
        taxes=tax_groups(taxes, sign),
        payment=payment_details(
            tenant.legal_entity,
            row["invoice_number"],
            payer["payment_method"] or "bank_transfer",
            _mandate(tenant.legal_entity, payer),
        ),
        usage_totals=usage_totals(usage),
        daily_usage=usage_by_day(usage, tenant.time_zone),
        itemisation=usage,
        converted_tax=converted_tax(row, sign),
        buyer_reference=payer["buyer_reference"],
        einvoice_profile=payer["einvoice_profile"] or tenant.einvoice_profile,
        statement=_statement(beside.statements, row["invoice_number"]),
        tiers=tiered_lines(lines, beside.tiered_prices, row["currency"]),
    )
    _assert_adds_up(built)
    return built


def invoice_documents(
    documents: pl.DataFrame,
    lines: pl.DataFrame,
    taxes: pl.DataFrame,
    tenant: Tenant,
    accounts: pl.DataFrame,
    *,
    itemisation: pl.DataFrame | None = None,
    beside: Beside = NOTHING_BESIDE,
) -> Iterator[InvoiceDocument]:
    """Build the models of many documents, in order of `invoice_key`.

    As `invoice_document`, over all documents at once; `itemisation` carries `invoice_key`
    besides RATED_USAGE, as `usage_behind` returns it.
    """
    on_documents = pl.concat(
        [documents.select("invoice_key", "account_key"), lines.select("invoice_key", "account_key")]
    ).unique(maintain_order=True)
    lines_of = _by_document(lines)
    taxes_of = _by_document(taxes)
    usage_of = {} if itemisation is None else _by_document(itemisation)
    accounts_of = _by_document(on_documents.join(accounts, on="account_key", validate="m:1"))
    for key, document in sorted(_by_document(documents).items()):
        yield invoice_document(
            document,
            lines_of[key],
            taxes_of[key],
            tenant,
            accounts_of[key],
            itemisation=usage_of.get(key),
            beside=beside,
        )


def _by_document(frame: pl.DataFrame) -> dict[str, pl.DataFrame]:
    parts = frame.partition_by("invoice_key", as_dict=True, maintain_order=True)
    return {str(key): part for (key,), part in parts.items()}


def _statement(statements: pl.DataFrame | None, number: str) -> Statement | None:
    if statements is None:
        return None
    names = [field.name for field in dataclasses.fields(Statement)]
    of_document = statements.filter(pl.col("invoice_number") == number).select(names)
    return None if of_document.is_empty() else Statement(*of_document.row(0))


def seller_party(entity: LegalEntity) -> Party:
    """The legal entity as it stands on its documents."""
    return Party(
        name=entity.name,
        street=entity.street,
        city=entity.city,
        postal_code=entity.postal_code,
        region=entity.region,
        country=entity.country,
        vat_number=entity.vat_number,
        tax_number=entity.tax_number,
        registration=entity.registration,
        email=entity.email,
        phone=entity.phone,
        website=entity.website,
        electronic_address=entity.electronic_address,
    )


def _mandate(entity: LegalEntity, payer: Mapping[str, str | None]) -> Mandate | None:
    """What the payer's direct debit is collected by; None where it is not known whole."""
    reference, iban = payer.get("mandate_reference"), payer.get("debited_iban")
    creditor = entity.creditor_identifier
    if payer["payment_method"] != "direct_debit" or not (reference and iban and creditor):
        return None
    return Mandate(reference, creditor, iban.replace(" ", "").upper())


def payment_details(
    entity: LegalEntity,
    reference: str,
    method: PaymentMethod = "bank_transfer",
    mandate: Mandate | None = None,
) -> PaymentDetails:
    """How and where an amount is to be paid or collected, and with which reference."""
    if method != "bank_transfer":
        return PaymentDetails(reference=reference, method=method, mandate=mandate)
    return PaymentDetails(
        reference=reference,
        bank_name=entity.bank_name,
        iban=entity.iban,
        bic=entity.bic,
        bank_account=entity.bank_account,
    )


def _assert_adds_up(document: InvoiceDocument) -> None:
    """Check the sums a reader can check. Source: EN 16931 BR-CO-10, -14, -15."""
    sums = {
        "net": (document.net_minor, sum(line.net_minor for line in document.lines)),
        "tax base": (document.net_minor, sum(group.base_minor for group in document.taxes)),
        "tax": (document.tax_minor, sum(group.tax_minor for group in document.taxes)),
        "total": (document.total_minor, document.net_minor + document.tax_minor),
    }
    wrong = {name: pair for name, pair in sums.items() if pair[0] != pair[1]}
    if wrong:
        raise DocumentDoesNotAddUp(f"{document.invoice_number}: printed and summed {wrong}")
