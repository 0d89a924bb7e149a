import datetime as dt

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from billing_pipeline.customers.tenant import BrandWords
from billing_pipeline.documents.preview import sample_receipt
from billing_pipeline.receivables.payments import allocated
from billing_pipeline.receivables.receipt import receipt_of
from billing_pipeline.receivables.schema import OPEN_ITEMS, PAYMENTS
from billing_pipeline_tests.invoicing.builders import TENANT, accounts

DAY = dt.date(2026, 2, 1)


def items(*open_minor: int) -> pl.DataFrame:
    rows = [
        (f"INV-{number}", "A-1", DAY, DAY + dt.timedelta(days=number), "EUR", minor)
        for number, minor in enumerate(open_minor, start=1)
    ]
    return pl.DataFrame(rows, schema=OPEN_ITEMS.polars_schema, orient="row")


def payments(*amounts: tuple[int, str | None]) -> pl.DataFrame:
    rows = [
        (f"P-{number}", "payment", "A-1", DAY, "EUR", minor, document, "")
        for number, (minor, document) in enumerate(amounts, start=1)
    ]
    return pl.DataFrame(rows, schema=PAYMENTS.polars_schema, orient="row")


def settled(made: pl.DataFrame) -> list[tuple[str, str, int]]:
    return made.rows()


def test_money_settles_what_is_due_first_and_the_rest_stays_on_the_account() -> None:
    made = allocated(payments((150, None), (100, None)), items(100, 80, -30))

    assert settled(made) == [("P-1", "INV-1", 100), ("P-1", "INV-2", 50), ("P-2", "INV-2", 30)]


def test_a_payment_that_names_a_document_settles_that_one_and_no_other() -> None:
    made = allocated(payments((100, None), (120, "INV-2")), items(100, 80))

    assert settled(made) == [("P-1", "INV-1", 100), ("P-2", "INV-2", 80)]


def test_money_of_another_currency_settles_nothing() -> None:
    dollars = payments((100, None)).with_columns(currency=pl.lit("USD"))

    assert allocated(dollars, items(100)).is_empty()


def test_a_receipt_is_in_the_words_of_who_paid_and_a_sample_in_the_tenants() -> None:
    words = {"en": BrandWords(message="Thank you"), "fr": BrandWords(message="Merci")}
    brand = TENANT.model_copy(update={"branding_in_locales": words, "locale": "en_GB"})
    settles = pl.DataFrame(
        [("INV-1", DAY, 100, 100)],
        schema=["invoice_number", "issue_date", "total_minor", "settled_minor"],
        orient="row",
    )
    payer = accounts({"account_key": "A-1", "language": "fr_FR"})

    receipt = receipt_of(payments((100, None)), settles, brand, payer)

    assert receipt.branding.message == "Merci"
    assert sample_receipt(brand).branding.message == "Thank you"


@given(
    owed=st.lists(st.integers(1, 10**6), max_size=6),
    paid=st.lists(st.integers(1, 10**6), max_size=6),
)
def test_nothing_is_settled_twice_and_no_money_is_lost(owed: list[int], paid: list[int]) -> None:
    made = allocated(payments(*((minor, None) for minor in paid)), items(*owed))

    assert made["amount_minor"].sum() == min(sum(owed), sum(paid))
    by_document = dict(made.group_by("invoice_number").agg(pl.sum("amount_minor")).rows())
    assert all(by_document.get(f"INV-{n}", 0) <= minor for n, minor in enumerate(owed, start=1))
