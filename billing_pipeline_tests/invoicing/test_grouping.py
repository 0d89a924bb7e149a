from decimal import Decimal

import polars as pl
import pytest

from billing_pipeline.catalog.plans import Product
from billing_pipeline.documents.einvoice.ubl import ubl_invoice
from billing_pipeline.invoicing.assemble import Beside, invoice_document
from billing_pipeline.invoicing.document import InvoiceDocument
from billing_pipeline.vocabulary.money import AMOUNT, QUANTITY
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


def grouped(
    *charges: dict[str, str], events: int = 0, behind: pl.DataFrame | None = None, **terms: str
) -> InvoiceDocument:
    if events:
        behind = usage(events, charges[0]["account_key"])
    tenant = TENANT.model_copy(update=terms)
    drafts = draft(to_post(*charges), accounts())
    return invoice_document(
        numbered(drafts),
        drafts.lines,
        drafts.taxes,
        tenant,
        accounts(),
        itemisation=behind,
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


INDIVIDUAL = {
    "charge_kind": "usage",
    "product_key": "calls",
    "price_key": "calls",
    "subscription_key": "S-1",
    "account_key": "C-1",
    "quantity": "8",
    "amount": "0.34",
}


def calls_of(*calls: tuple[str, str, str]) -> pl.DataFrame:
    """Calls with these billable seconds, prices of a minute, and amounts."""
    units, prices, amounts = zip(*calls, strict=True)
    return usage(len(calls)).with_columns(
        pl.Series("billable_units", map(Decimal, units), QUANTITY),
        pl.Series("unit_price", map(Decimal, prices), AMOUNT),
        pl.Series("amount", map(Decimal, amounts), AMOUNT),
    )


def test_units_of_equal_price_are_a_line_where_wanted() -> None:
    """Two calls of 2 min at 0.04, 3 min at 0.05, 1 min at 0.03: 0.16 + 0.15 + 0.03."""
    minutes = [("120", "0.04", "0.08"), ("180", "0.05", "0.15"), ("60", "0.03", "0.03")]
    calls = calls_of(*minutes, minutes[0])

    document = grouped(INDIVIDUAL, behind=calls, invoice_lines="unit_price")

    assert [(line.quantity, line.unit_price, line.net_minor) for line in document.lines] == [
        (Decimal(4), Decimal("0.04"), 16),
        (Decimal(3), Decimal("0.05"), 15),
        (Decimal(1), Decimal("0.03"), 3),
    ]
    assert document.net_minor == 34


def test_what_was_free_is_a_line_of_nothing() -> None:
    charge = {**INDIVIDUAL, "quantity": "5", "amount": "0.08"}
    calls = calls_of(("120", "0.04", "0.08"), ("180", "0", "0"))

    document = grouped(charge, behind=calls, invoice_lines="unit_price")

    assert [(line.quantity, line.net_minor) for line in document.lines] == [
        (Decimal(2), 8),
        (Decimal(3), 0),
    ]
    assert ubl_invoice(document)


def test_fees_of_calls_without_a_billable_unit_stay_one_line() -> None:
    """Two calls that were not answered, at two prices of a minute, 0.05 each to connect."""
    charge = {**INDIVIDUAL, "quantity": "0", "amount": "0.10"}
    calls = calls_of(("0", "0.04", "0.05"), ("0", "0.05", "0.05"))

    document = grouped(charge, behind=calls, invoice_lines="unit_price")

    assert [line.net_minor for line in document.lines] == [10]


def test_a_charge_that_is_not_what_its_events_come_to_stays_one_line() -> None:
    """Units were included: 0.20 of what the four calls would cost."""
    document = grouped({**INDIVIDUAL, "amount": "0.01"}, events=4, invoice_lines="unit_price")

    assert [line.net_minor for line in document.lines] == [1]


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
