from typing import get_args

import polars as pl
import pytest

from billing_pipeline.accounting.chart import UnknownLedgerAccount, with_category_rules
from billing_pipeline.accounting.payments import journal_for_payments
from billing_pipeline.accounting.posting_rules import journal_for_documents
from billing_pipeline.accounting.roles import ACCOUNT_CLASS_BY_ROLE
from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.plans import Product, ProductCategory
from billing_pipeline.customers.tenant import LedgerAccounts, LedgerRole, LedgerRule
from billing_pipeline_tests.accounting.builders import (
    ACCOUNTS,
    Document,
    invoices_frame,
    lines_frame,
    taxes_frame,
    tenant,
    write_off,
)

DOCUMENT = Document("INV-1", [("calls", 1000)], [("S", "20", 200)])


def placed(*rules: LedgerRule, document: Document = DOCUMENT) -> dict[str, tuple[str, str | None]]:
    chart = LedgerAccounts(
        receivable="1100",
        revenue="4000",
        tax="2200",
        revenue_by_product={"calls": "4010"},
        rules=list(rules),
    )
    booked = journal_for_documents(
        invoices_frame([document]),
        lines_frame([document]),
        taxes_frame([document]),
        tenant(ledger_accounts=chart),
        ACCOUNTS,
    )
    rows = booked.postings.select("role", "ledger_account", "cost_centre").rows()
    return {role: (account, cost_centre) for role, account, cost_centre in rows}


def rule(account: str, **conditions: str) -> LedgerRule:
    return LedgerRule.model_validate({"role": "revenue", "ledger_account": account, **conditions})


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        pytest.param([], ("4010", None), id="account by product"),
        pytest.param(
            [rule("4900", product="calls", currency="GBP")], ("4900", None), id="two conditions win"
        ),
        pytest.param(
            [rule("4900", product="calls", currency="EUR")], ("4010", None), id="another currency"
        ),
        pytest.param(
            [rule("4800", product="calls", customer_group="reseller", cost_centre="wholesale")],
            ("4800", "wholesale"),
            id="customer group and cost centre",
        ),
        pytest.param(
            [rule("4700", product="calls"), rule("4701", product="calls")],
            ("4700", None),
            id="an own rule comes before the account by product, the first one wins",
        ),
    ],
)
def test_the_most_specific_rule_gives_the_account(
    rules: list[LedgerRule], expected: tuple[str, str | None]
) -> None:
    assert placed(*rules)["revenue"] == expected


CATALOG = Catalog(
    products=tuple(
        Product(key=key, name=key, kind="usage", category=category)
        for key, category in (("calls", "voice"), ("faxes", "voice"), ("seats", None))
    ),
    categories=(ProductCategory(key="voice", name="Voice"),),
)


def test_a_rule_for_a_category_holds_for_its_products_but_not_against_their_own() -> None:
    chart = LedgerAccounts(
        receivable="1100",
        revenue="4000",
        tax="2200",
        revenue_by_product={"calls": "4010"},
        rules=[rule("4500", category="voice")],
    )
    document = Document(
        "INV-1", [("calls", 100), ("faxes", 200), ("seats", 400)], [("S", "20", 140)]
    )

    booked = journal_for_documents(
        invoices_frame([document]),
        lines_frame([document]),
        taxes_frame([document]),
        with_category_rules(tenant(ledger_accounts=chart), CATALOG),
        ACCOUNTS,
    )

    revenue = booked.postings.filter(pl.col("role") == "revenue")
    assert sorted(revenue.select("product_key", "ledger_account", "amount_minor").rows()) == [
        ("calls", "4010", -100),
        ("faxes", "4500", -200),
        ("seats", "4000", -400),
    ]


def test_a_rule_for_a_category_that_is_not_spelled_out_takes_nothing() -> None:
    assert placed(rule("4500", category="voice"))["revenue"] == ("4010", None)
    assert placed(rule("4500", category="voice", currency="GBP"))["revenue"] == ("4010", None)


@pytest.mark.parametrize(
    ("tax", "expected"), [("S/20", "2220"), ("S/5", "2200"), ("S/20.5", "2200")]
)
def test_a_tax_rule_names_code_and_rate(tax: str, expected: str) -> None:
    by_rate = LedgerRule(role="tax", ledger_account="2220", tax=tax)

    assert placed(by_rate)["tax"] == (expected, None)


def test_a_role_without_an_account_is_refused_with_the_entry_named() -> None:
    given_up = write_off(DOCUMENT.bill_day)

    with pytest.raises(
        UnknownLedgerAccount, match="write_off/W-1: no ledger account for write_off"
    ):
        journal_for_payments(given_up, tenant(), ACCOUNTS)


def test_every_role_has_a_class_and_a_place_in_the_entry() -> None:
    assert set(ACCOUNT_CLASS_BY_ROLE) == set(get_args(LedgerRole))
