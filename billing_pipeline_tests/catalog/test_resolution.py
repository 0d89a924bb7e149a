"""Negotiated prices: who has which price on which day."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

import polars as pl
import pytest
from pydantic import ValidationError

from billing_pipeline.catalog.agreements import NegotiatedPrice
from billing_pipeline.catalog.catalog import Catalog
from billing_pipeline.catalog.check_agreements import check_agreements
from billing_pipeline.catalog.entries import catalog_entries, catalog_from_entries
from billing_pipeline.catalog.plans import Plan, Product
from billing_pipeline.catalog.prices import FlatPrice, PerUnitUsage
from billing_pipeline.catalog.resolution import Sold, agreements_of, listed_plan, sold
from billing_pipeline.customers.schema import ACCOUNTS, SUBSCRIPTION_CHANGES
from billing_pipeline_tests.rating.given import frame, subscriptions

Row = Mapping[str, object]

PRODUCTS = (
    Product(key="line", name="Line", kind="recurring"),
    Product(key="calls", name="Calls", kind="usage"),
)
FEE = {"key": "fee", "product": "line", "model": "flat", "amount": 20}
MINUTES = {
    "key": "minutes",
    "product": "calls",
    "model": "per_unit",
    "applies_to": {"usage_type": "voice"},
    "amount": "0.05",
    "pricing_unit": 60,
}
SHOP = {"account_key": "shop", "parent_key": "region"}


def accounts(*rows: Row) -> pl.DataFrame:
    defaults = {
        "name": "Customer", "account_type": "business", "currency": "GBP", "language": "en_GB",
        "opened_on": dt.date(2020, 1, 1), "payment_terms_days": 14, "street": "1 Street",
        "city": "York", "postal_code": "YO1", "country": "GB", "payer_key": "head",
    }  # fmt: skip
    given = rows or (
        {"account_key": "head"},
        {"account_key": "region", "parent_key": "head"},
        SHOP,
    )
    return frame(ACCOUNTS, defaults, given)


SHOP_LINE = subscriptions({"subscription_key": "s1", "account_key": "shop"})


def plan(**fields: object) -> Plan:
    defaults = {"key": "plan", "name": "Plan", "currency": "GBP", "prices": [FEE, MINUTES]}
    return Plan.model_validate({**defaults, **fields})


def agreed(key: str, fee: str, **fields: object) -> NegotiatedPrice:
    return NegotiatedPrice.model_validate(
        {"key": key, "instead_of": "fee", "terms": {"amount": fee}, **fields}
    )


def catalog(*negotiated: NegotiatedPrice, **fields: object) -> Catalog:
    return Catalog(products=PRODUCTS, plans=(plan(**fields),), negotiated=negotiated)


def on(given: Catalog, held_by: pl.DataFrame | None = None) -> Sold:
    return sold(given, held_by or accounts(), SHOP_LINE, SUBSCRIPTION_CHANGES.empty())


def fees(result: Sold) -> list[tuple[str, str, str]]:
    """Amount, first day and day after the last of the fee of the only subscription."""
    held = result.catalog.plan_by_key[result.subscriptions.item(0, "plan_key")]
    return [
        (str(price.amount), str(price.valid_from), str(price.valid_until or "open"))
        for price in held.prices
        if isinstance(price, FlatPrice)
    ]


FOR_SUBSCRIPTION = agreed("a", "11", subscription="s1")
FOR_ACCOUNT = agreed("b", "12", account="shop")
FOR_PARENT = agreed("c", "13", account="region")
FOR_TOP = agreed("d", "14", account="head")
FOR_TYPE = agreed("e", "15", account_type="business")
FOR_ALL = agreed("f", "16")
ORDER = [FOR_SUBSCRIPTION, FOR_ACCOUNT, FOR_PARENT, FOR_TOP, FOR_TYPE, FOR_ALL]


def test_without_agreements_the_catalog_is_as_it_was() -> None:
    given = catalog()

    assert on(given).catalog is given


@pytest.mark.parametrize("strongest", range(len(ORDER)))
def test_the_nearest_agreement_holds(strongest: int) -> None:
    weaker = ORDER[strongest:]

    assert fees(on(catalog(*reversed(weaker)))) == [(str(11 + strongest), "2000-01-01", "open")]


def test_agreements_are_listed_in_the_order_they_hold() -> None:
    listed = agreements_of(catalog(*reversed(ORDER)), accounts(), SHOP_LINE, "plan")

    assert [ranked.agreement.key for ranked in listed] == ["a", "b", "c", "d", "e", "f"]


def test_what_was_agreed_for_some_days_leaves_the_others() -> None:
    """20 as listed, 12 in March and April, but 16 for everyone from April on."""
    result = on(
        catalog(
            agreed(
                "spring", "12", account="shop", valid_from="2026-03-01", valid_until="2026-05-01"
            ),
            agreed("all", "16", valid_from="2026-04-01"),
        )
    )

    assert fees(result) == [
        ("20", "2000-01-01", "2026-03-01"),
        ("12", "2026-03-01", "2026-05-01"),
        ("16", "2026-05-01", "open"),
    ]


def test_terms_change_every_version_of_the_listed_price() -> None:
    result = sold(
        catalog(
            NegotiatedPrice.model_validate(
                {
                    "key": "rounded",
                    "account": "shop",
                    "instead_of": "minutes",
                    "terms": {"increments": {"minimum": 60, "increment": 60}},
                }
            ),
            prices=[
                FEE,
                {**MINUTES, "valid_until": "2026-07-01"},
                {**MINUTES, "valid_from": "2026-07-01", "amount": "0.06"},
            ],
        ),
        accounts(),
        SHOP_LINE,
        SUBSCRIPTION_CHANGES.empty(),
    )

    (variant,) = result.variants
    usage = [price for price in variant.prices if isinstance(price, PerUnitUsage)]
    assert [(price.amount, price.increments.minimum) for price in usage] == [
        (Decimal("0.05"), Decimal(60)),
        (Decimal("0.06"), Decimal(60)),
    ]


def test_a_price_of_another_model_takes_the_place_and_the_included_units() -> None:
    instead = {
        "key": "bulk-minutes", "product": "calls", "model": "package", "size": 1000,
        "amount": 30, "pricing_unit": 60, "applies_to": {"usage_type": "voice"},
    }  # fmt: skip
    given = catalog(
        NegotiatedPrice.model_validate(
            {"key": "bulk", "account": "shop", "instead_of": "minutes", "price": instead}
        ),
        included_units=[{"key": "free", "units": 10, "prices": ["minutes"]}],
    )

    (variant,) = on(given).variants
    assert [price.key for price in variant.prices] == ["fee", "bulk-minutes"]
    assert variant.included_units[0].prices == ["bulk-minutes"]
    assert listed_plan(variant.key) == "plan"


def test_an_account_of_another_currency_has_the_prices_of_its_currency() -> None:
    euros = {"currency": "EUR", "prices": [{**FEE, "amount": 23}, {**MINUTES, "amount": "0.06"}]}
    in_euros = accounts({"account_key": "shop", "currency": "EUR"})
    given = catalog(
        agreed("pounds", "1", currency="GBP"), agreed("euros", "2", currency="EUR", account="shop"),
        in_currencies=[euros],
    )  # fmt: skip

    result = sold(given, in_euros, SHOP_LINE, SUBSCRIPTION_CHANGES.empty())

    (variant,) = result.variants
    assert variant.currency == "EUR"
    assert fees(result) == [("2", "2000-01-01", "open")]


def test_a_plan_in_another_currency_has_every_price_in_it() -> None:
    with pytest.raises(ValidationError, match=r"in EUR and GBP prices differ: \['minutes'\]"):
        plan(in_currencies=[{"currency": "EUR", "prices": [FEE]}])


def test_a_new_plan_is_had_at_its_own_agreement() -> None:
    given = Catalog(
        products=PRODUCTS,
        plans=(plan(), plan(key="other")),
        negotiated=(agreed("only-other", "9", subscription="s1", plans=["other"]),),
    )
    change = {"subscription_key": "s1", "effective_on": dt.date(2026, 3, 1), "plan_key": "other"}

    result = sold(given, accounts(), SHOP_LINE, frame(SUBSCRIPTION_CHANGES, {}, [change]))

    assert result.subscriptions["plan_key"].to_list() == ["plan"]
    assert result.subscription_changes["plan_key"].to_list() == ["other~1"]


def test_agreements_of_tenants_above_stand_behind_the_tenants_own() -> None:
    above = (agreed("above-type", "17", account_type="business"), agreed("above-all", "18"))
    only_above = Catalog(products=PRODUCTS, plans=(plan(),), inherited=(above,))
    with_own = Catalog(
        products=PRODUCTS, plans=(plan(),), inherited=(above,), negotiated=(FOR_ALL,)
    )

    assert fees(on(only_above)) == [("17", "2000-01-01", "open")]
    assert fees(on(with_own)) == [("16", "2000-01-01", "open")]


def test_agreements_are_the_same_after_storage() -> None:
    euros = {"currency": "EUR", "prices": [FEE, MINUTES]}
    given = catalog(
        *ORDER,
        NegotiatedPrice.model_validate({"key": "w", "price": MINUTES, "valid_until": "2026-02-01"}),
        in_currencies=[euros],
    )

    assert catalog_from_entries(catalog_entries(given, ())).negotiated == tuple(
        sorted(given.negotiated, key=lambda one: ORDER.index(one) if one in ORDER else 99)
    )
    assert catalog_from_entries(catalog_entries(given, ())).plans == given.plans


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (agreed("x", "1", account="nobody"), "no account 'nobody' in accounts.csv"),
        (agreed("x", "1", subscription="s9"), "no subscription 's9' in subscriptions.csv"),
        (agreed("x", "1", plans=["gold"]), "no plan 'gold' in plans.yaml"),
        (agreed("x", "1", instead_of="rent"), "no plan it is for has a price 'rent'"),
        (agreed("x", "much"), "amount does not fit price 'fee' of plan 'plan'"),
        (agreed("x", "1", instead_of="fee", terms={"amont": 1}), "amont does not fit price 'fee'"),
    ],
)  # fmt: skip
def test_an_agreement_that_cannot_hold_is_refused(wrong: NegotiatedPrice, message: str) -> None:
    (problem, *_) = check_agreements(catalog(wrong), accounts(), SHOP_LINE)

    assert message in str(problem)


def test_two_agreements_for_the_same_place_are_refused() -> None:
    given = catalog(agreed("one", "1", account="shop"), agreed("two", "2", account="shop"))

    (problem,) = check_agreements(given, accounts(), SHOP_LINE)

    assert "prices what 'one' prices for the same customers and days" in problem.message


def test_an_agreement_that_makes_two_prices_take_one_event_is_refused() -> None:
    inbound = {**MINUTES, "key": "inbound", "applies_to": {"usage_type": "in"}}
    wide = {**MINUTES, "key": "in-as-voice"}
    given = catalog(
        NegotiatedPrice.model_validate({"key": "x", "instead_of": "inbound", "price": wide}),
        prices=[FEE, MINUTES, inbound],
    )

    (problem,) = check_agreements(given, accounts(), SHOP_LINE)

    assert "in plan 'plan' with what was agreed" in problem.message


def test_terms_may_not_change_what_a_price_is() -> None:
    with pytest.raises(ValidationError, match="terms cannot change"):
        agreed("x", "1", terms={"model": "flat", "amount": 1})
