import datetime as dt
from decimal import Decimal
from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_pipeline.billing.schema import TO_POST
from billing_pipeline.customers.policies import BillingPolicy
from billing_pipeline.invoicing.issue import draft_documents
from billing_pipeline.invoicing.payers import PayerCycle
from billing_pipeline.invoicing.terms import with_agreed_terms
from billing_pipeline_tests.invoicing.builders import (
    BILL_DAY,
    RATES,
    TENANT,
    accounts,
    draft,
    to_post,
)


def test_twenty_dollars_and_a_hundred_minutes_make_twenty_five() -> None:
    drafts = draft(
        to_post(
            {"amount": "20", "tax_category": "deposit"},
            {
                "amount": "5",
                "quantity": "100",
                "unit_price": "0.05",
                "charge_kind": "usage",
                "tax_category": "deposit",
            },
        )
    )

    assert drafts.invoices["total_minor"].to_list() == [2500]
    assert drafts.lines["net_minor"].to_list() == [2000, 500]


def test_a_document_is_due_after_the_terms_of_the_payer() -> None:
    drafts = draft(to_post({}), accounts({"payment_terms_days": 30}))

    assert drafts.invoices["due_date"].to_list() == [dt.date(2026, 3, 31)]


def test_no_charges_make_no_documents() -> None:
    drafts = draft(TO_POST.empty())

    assert (drafts.invoices.height, drafts.lines.height, drafts.taxes.height) == (0, 0, 0)


def test_a_negative_sum_is_a_credit_note_that_names_what_it_corrects() -> None:
    drafts = draft(
        to_post(
            {
                "amount": "0",
                "posted_amount": "20",
                "posted_minor": 2000,
                "posting_number": 2,
                "corrects_invoice": "INV-2026-000007",
                "reason": "withdrawn",
            }
        )
    )

    assert drafts.invoices.select(
        "invoice_key", "document_kind", "net_minor", "tax_minor", "total_minor", "corrects_invoice"
    ).row(0) == ("C-1/2026-03-01/credit_note", "credit_note", -2000, -380, -2380, "INV-2026-000007")


def test_a_credit_smaller_than_the_new_charges_is_a_line_of_the_invoice() -> None:
    drafts = draft(
        to_post(
            {"amount": "20"},
            {"amount": "15", "posted_amount": "20", "posted_minor": 2000, "posting_number": 2},
        )
    )

    assert drafts.invoices["document_kind"].to_list() == ["invoice"]
    assert drafts.lines["net_minor"].to_list() == [2000, -500]


def test_a_difference_below_a_minor_unit_is_not_posted() -> None:
    drafts = draft(
        to_post(
            {"amount": "20"},
            {
                "amount": "7.0049",
                "posted_amount": "7",
                "posted_minor": 700,
                "posting_number": 2,
            },
        )
    )

    assert drafts.lines["net_minor"].to_list() == [2000]


def test_usage_that_included_units_paid_is_shown_at_zero() -> None:
    drafts = draft(to_post({"amount": "20"}, {"amount": "0", "charge_kind": "usage"}))

    assert drafts.lines["net_minor"].to_list() == [2000, 0]


def test_the_payer_gets_one_document_with_its_own_lines_first() -> None:
    family = accounts(
        {"account_key": "Z-PARENT", "name": "Holding"},
        {"account_key": "A-CHILD", "payer_key": "Z-PARENT", "name": "North"},
        {"account_key": "B-GRANDCHILD", "payer_key": "A-CHILD", "name": "Kiel"},
        {"account_key": "OWN", "name": "Pays for itself"},
    )

    drafts = draft(
        to_post(*({"account_key": key} for key in ("B-GRANDCHILD", "A-CHILD", "Z-PARENT", "OWN"))),
        family,
    )

    assert drafts.invoices["account_key"].to_list() == ["OWN", "Z-PARENT"]
    parent = drafts.lines.filter(pl.col("invoice_key").str.starts_with("Z-PARENT"))
    assert parent["account_key"].to_list() == ["Z-PARENT", "A-CHILD", "B-GRANDCHILD"]
    assert parent["line_number"].to_list() == [1, 2, 3]


def test_accounts_that_pay_in_a_circle_stop_the_run() -> None:
    circle = accounts(
        {"account_key": "A", "payer_key": "B"}, {"account_key": "B", "payer_key": "A"}
    )

    with pytest.raises(PayerCycle, match=r"\['A', 'B'\]"):
        draft(to_post({"account_key": "A"}), circle)


def test_a_payer_without_a_tax_rate_is_held_and_the_others_go_on() -> None:
    two = accounts({"account_key": "A"}, {"account_key": "B"})

    drafts = draft(
        to_post(
            {"account_key": "A"},
            {"account_key": "A", "tax_category": "tobacco"},
            {"account_key": "B"},
        ),
        two,
    )

    assert drafts.invoices["account_key"].to_list() == ["B"]
    assert drafts.held.select("account_key", "reason", "lines").rows() == [("A", "no_tax_rate", 1)]
    assert "tobacco" in drafts.held["detail"][0]


def test_a_charge_of_an_unknown_account_is_held() -> None:
    drafts = draft(to_post({"account_key": "GHOST"}))

    assert drafts.held.select("account_key", "reason").rows() == [("GHOST", "unknown_payer")]


def test_each_currency_has_its_own_document() -> None:
    drafts = draft(to_post({}, {"currency": "JPY", "amount": "1500.5"}))

    assert drafts.invoices.select("invoice_key", "net_minor").rows() == [
        ("C-1/2026-03-01/invoice", 2000),
        ("C-1/2026-03-01/invoice/JPY", 1501),
    ]


def test_what_is_outside_the_scope_of_tax_stands_on_its_own_document() -> None:
    drafts = draft(to_post({}, {"tax_category": "deposit"}))

    assert drafts.invoices["invoice_key"].to_list() == [
        "C-1/2026-03-01/invoice",
        "C-1/2026-03-01/invoice/outside_scope",
    ]


AMOUNTS = st.decimals(
    min_value=-10_000, max_value=10_000, places=10, allow_nan=False, allow_infinity=False
)
CHARGES = st.lists(
    st.tuples(
        st.sampled_from(["A", "B", "C"]),
        AMOUNTS,
        st.sampled_from(["standard", "reduced", "deposit"]),
    ),
    min_size=1,
    max_size=25,
)
FAMILY = accounts(
    {"account_key": "A"}, {"account_key": "B", "payer_key": "A"}, {"account_key": "C"}
)


def _given(charges: list[tuple[str, Decimal, str]]) -> pl.DataFrame:
    return to_post(
        *(
            {
                "charge_key": f"{position}",
                "account_key": key,
                "amount": amount,
                "tax_category": category,
            }
            for position, (key, amount, category) in enumerate(charges)
        )
    )


@settings(deadline=None, max_examples=60)
@given(charges=CHARGES)
def test_printed_lines_sum_to_printed_totals(charges: list[tuple[str, Decimal, str]]) -> None:
    drafts = draft(_given(charges))

    sums = drafts.lines.group_by("invoice_key").agg(lines=pl.sum("net_minor"))
    groups = drafts.taxes.group_by("invoice_key").agg(pl.sum("base_minor"), tax=pl.sum("tax_minor"))
    checked = drafts.invoices.join(sums, on="invoice_key").join(groups, on="invoice_key")
    assert checked.height == drafts.invoices.height
    assert checked.filter(
        (pl.col("net_minor") != pl.col("lines"))
        | (pl.col("net_minor") != pl.col("base_minor"))
        | (pl.col("tax_minor") != pl.col("tax"))
        | (pl.col("total_minor") != pl.col("net_minor") + pl.col("tax_minor"))
        | ((pl.col("total_minor") < 0) != (pl.col("document_kind") == "credit_note"))
    ).is_empty()


@settings(deadline=None, max_examples=30)
@given(charges=CHARGES, seed=st.randoms(use_true_random=False))
def test_the_order_of_charges_changes_nothing(
    charges: list[tuple[str, Decimal, str]], seed: Random
) -> None:
    given_order = _given(charges)
    positions = list(range(given_order.height))
    seed.shuffle(positions)

    drafts, shuffled = draft(given_order), draft(given_order[positions])

    assert drafts.lines.equals(shuffled.lines)
    assert drafts.invoices.equals(shuffled.invoices)
    assert drafts.taxes.equals(shuffled.taxes)


@settings(deadline=None, max_examples=60)
@given(amount=st.decimals(min_value="0.01", max_value=10_000, places=4))
def test_a_full_credit_mirrors_its_invoice(amount: Decimal) -> None:
    invoice = draft(to_post({"amount": amount})).invoices
    posted = invoice["net_minor"][0]

    credit = draft(
        to_post(
            {
                "amount": "0",
                "posted_amount": amount,
                "posted_minor": posted,
                "posting_number": 2,
            }
        )
    ).invoices

    totals = ["net_minor", "tax_minor", "total_minor"]
    assert [-minor for minor in credit.select(totals).row(0)] == list(invoice.select(totals).row(0))


def test_corrections_stand_on_documents_of_their_own_where_the_tenant_wants_it() -> None:
    """A fee of 20.00; 3.00 come back of one charge, 2.00 more are owed for another."""
    posted = {"posting_number": 2, "corrects_invoice": "INV-2026-000007"}
    given = to_post(
        {"amount": "20"},
        {"amount": "17", "posted_amount": "20", "posted_minor": 2000, **posted},
        {"amount": "7", "posted_amount": "5", "posted_minor": 500, **posted},
    )
    apart = TENANT.model_copy(update={"billing_policy": BillingPolicy(corrections="own_documents")})

    together = draft(given)
    drafts = draft_documents(given, accounts(), apart, RATES, BILL_DAY)

    assert together.invoices["net_minor"].to_list() == [1900]
    kinds = drafts.invoices.select("document_kind", "net_minor", "corrects_invoice")
    assert sorted(kinds.rows()) == [
        ("credit_note", -300, "INV-2026-000007"),
        ("invoice", 200, "INV-2026-000007"),
        ("invoice", 2000, None),
    ]
    assert drafts.invoices["invoice_key"].n_unique() == 3


@pytest.mark.parametrize(
    ("agreed", "due"),
    [
        pytest.param({}, dt.date(2026, 3, 15), id="the account's 14 days"),
        pytest.param({"S-1": 30}, dt.date(2026, 3, 31), id="a subscription's go before"),
        pytest.param({"S-1": 30, "S-2": 7}, dt.date(2026, 3, 8), id="the shortest of several"),
        pytest.param({"S-9": 7}, dt.date(2026, 3, 15), id="of one that is not on the document"),
    ],
)
def test_terms_of_subscriptions_go_before_the_accounts(
    agreed: dict[str, int], due: dt.date
) -> None:
    drafts = draft(to_post({"charge_key": "a"}, {"charge_key": "b", "subscription_key": "S-2"}))
    subscriptions = pl.DataFrame(
        {"subscription_key": list(agreed), "payment_terms_days": list(agreed.values())},
        schema={"subscription_key": pl.String, "payment_terms_days": pl.Int64},
    )

    settled = with_agreed_terms(drafts, subscriptions)

    assert settled.invoices["due_date"].to_list() == [due]
    assert settled.invoices.drop("due_date").equals(drafts.invoices.drop("due_date"))


@pytest.mark.parametrize(
    ("quantity", "posted_quantity", "posting_number", "printed"),
    [
        pytest.param("12", "0", 1, "12", id="new"),
        pytest.param("12", "10", 2, "2", id="two more came late"),
        pytest.param("10", "10", 2, "10", id="another price for the same"),
        pytest.param("0", "10", 2, "-10", id="withdrawn"),
    ],
)
def test_a_correction_line_says_how_much_came_or_went(
    quantity: str, posted_quantity: str, posting_number: int, printed: str
) -> None:
    drafts = draft(
        to_post(
            {
                "quantity": quantity,
                "posted_quantity": posted_quantity,
                "posting_number": posting_number,
            }
        )
    )

    assert drafts.lines["quantity"].to_list() == [Decimal(printed)]
