from decimal import Decimal

import pytest

from billing_pipeline.catalog.plans import Product
from billing_pipeline.invoicing.assemble import Beside, invoice_document
from billing_pipeline.invoicing.document import InvoiceDocument
from billing_pipeline_tests.documents.builders import usage
from billing_pipeline_tests.invoicing.builders import TENANT, accounts, draft, numbered, to_post

PRODUCTS = {
    "access": Product(key="access", name="Internet", kind="recurring", section="Rental"),
    "phone": Product(key="phone", name="Telephone", kind="recurring", section="Rental"),
    "calls": Product(key="calls", name="Calls", kind="usage"),
    "line": Product(key="line", name="Line", kind="recurring", category="voice"),
    "fax": Product(key="fax", name="Fax", kind="recurring", category="voice"),
}
CHARGES = [
    {"charge_key": "a", "product_key": "access", "subscription_key": "S-1", "quantity": "1"},
    {"charge_key": "b", "product_key": "phone", "subscription_key": "S-1", "quantity": "1"},
    {"charge_key": "c", "product_key": "access", "subscription_key": "S-2", "quantity": "2"},
]


def grouped(*charges: dict[str, str], events: int = 0, **terms: str) -> InvoiceDocument:
    tenant = TENANT.model_copy(update=terms)
    drafts = draft(to_post(*charges), accounts())
    return invoice_document(
        numbered(drafts),
        drafts.lines,
        drafts.taxes,
        tenant,
        accounts(),
        itemisation=usage(events, charges[0]["account_key"]) if events else None,
        beside=Beside(products=PRODUCTS, categories={"voice": "Telephony"}),
    )


def names(document: InvoiceDocument) -> list[tuple[str, int]]:
    return [(part.name.partition(" · ")[2], len(part.lines)) for part in document.sections]


@pytest.mark.parametrize(
    ("gathered_by", "sections"),
    [
        pytest.param("account", [("", 3)], id="account"),
        pytest.param("subscription", [("S-1", 2), ("S-2", 1)], id="subscription"),
        pytest.param("product", [("Internet", 2), ("Telephone", 1)], id="product"),
        pytest.param("section", [("Rental", 3)], id="section"),
    ],
)
def test_lines_are_gathered_as_the_tenant_wants(
    gathered_by: str, sections: list[tuple[str, int]]
) -> None:
    document = grouped(*CHARGES, invoice_sections=gathered_by)

    assert sorted(names(document)) == sections
    assert sum(line.net_minor for line in document.lines) == document.net_minor


def test_products_of_a_category_stand_under_its_name_the_others_under_their_own() -> None:
    charges = [
        {**CHARGES[0], "charge_key": product, "product_key": product}
        for product in ("line", "fax", "access")
    ]

    document = grouped(*charges, invoice_sections="category")

    assert sorted(names(document)) == [("Internet", 1), ("Telephony", 2)]


def test_charges_of_a_product_are_one_line_where_wanted() -> None:
    document = grouped(*CHARGES, invoice_lines="product")

    assert sorted((line.quantity, line.net_minor) for line in document.lines) == sorted(
        [(Decimal(3), 2 * 2000), (Decimal(1), 2000)]
    )
    assert [line.line_number for line in document.lines] == [1, 2]


def test_every_transaction_is_a_line_where_wanted_and_lines_sum_to_the_total() -> None:
    calls = {
        "charge_kind": "usage",
        "product_key": "calls",
        "price_key": "calls",
        "subscription_key": "S-1",
        "account_key": "C-1",
        "amount": "9.99",
    }
    document = grouped(calls, events=7, invoice_lines="transaction")

    assert len(document.lines) == 7
    assert sum(line.net_minor for line in document.lines) == 999
    assert document.lines[0].description.startswith("United Kingdom 442079460000 08:00:00")
    assert grouped(calls, events=300, invoice_lines="transaction").lines[0].net_minor == 999
