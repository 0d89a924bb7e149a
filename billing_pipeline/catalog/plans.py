"""Products (`products.yaml`), plans, included units and discounts (`plans.yaml`)."""

import datetime as dt
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, model_validator

from billing_pipeline.catalog.price_terms import Increment
from billing_pipeline.catalog.prices import Amount, Price, Units
from billing_pipeline.vocabulary.configuration import Configuration, CurrencyCode, Key
from billing_pipeline.vocabulary.proration import ProrationRule


class ProductCategory(Configuration):
    """What products are gathered under: in reports, ledger rules, discounts and on invoices."""

    key: Key
    name: str


class Product(Configuration):
    """Something that is sold, or taken back.

    `penalty` is owed for breaking off or for what was not kept, `adjustment` puts something right,
    `discount` reduces other charges.
    """

    key: Key
    name: str
    kind: Literal["recurring", "one_time", "usage", "penalty", "discount", "adjustment"]
    category: Key | None = Field(default=None, description="one of product_categories")
    tax_category: Key = "standard"
    section: str | None = Field(
        default=None, description="heading it stands under with `invoice_sections: section`"
    )
    increments: Increment | None = Field(
        default=None, description="rounding of its events by prices that declare none"
    )


class BillingCycle(Configuration):
    """How long a billing period is and where it begins.

    `anniversary` counts from the account's `opened_on`; `calendar` from the first day of the
    calendar month, quarter or year.
    """

    interval: Literal["day", "week", "month", "quarter", "half_year", "year"] = "month"
    anchor: Literal["anniversary", "calendar"] = "anniversary"


class IncludedUnits(Configuration):
    """Units of a usage product that the plan's fee pays, per billing period.

    `units` are pricing units of the prices named; they are consumed in the order of events. They
    are the subscription's own, or shared: by the subscriptions of an `account`, or by everything
    below the account at the top of the tree (`account_tree`). Pools of one key are one pool,
    whatever plan names them. What a pool has is `units` for each of its subscriptions, or once.
    """

    key: Key
    units: Units
    prices: Annotated[list[Key], Field(min_length=1)]
    shared_by: Literal["subscription", "account", "account_tree"] = "subscription"
    counted: Literal["per_subscription", "once"] = "per_subscription"
    proration: Literal["none", "actual_days"] = Field(
        default="none", description="whether a short period has its days' part only"
    )
    rollover_periods: int = Field(
        default=0, ge=0, le=36, description="periods after its own in which the rest can be used"
    )


class MinimumFee(Configuration):
    """A floor for the subscription's usage charges of a billing period."""

    key: Key
    product: Key
    amount: Amount
    proration: ProrationRule = Field(
        default="actual_days", description="whether a short period has a lower floor"
    )


class ContractTerm(Configuration):
    """How long a subscription is agreed for, and what is owed if it ends earlier.

    What is owed is a fixed `fee`, or a percentage of the recurring fees of the remaining term at
    the prices known today, before discounts.
    """

    key: Key
    product: Key
    months: int = Field(ge=1, le=1200, description="counted from the subscription's start")
    fee: Annotated[Decimal, Field(gt=0, max_digits=28, decimal_places=10)] | None = None
    percent_of_remaining: Annotated[Decimal, Field(gt=0, le=100)] | None = None

    @model_validator(mode="after")
    def _is_a_fee_or_a_percentage(self) -> "ContractTerm":
        if (self.fee is None) == (self.percent_of_remaining is None):
            raise ValueError("give either fee or percent_of_remaining")
        return self


class Discount(Configuration):
    """A percentage or an amount off charges of a subscription that agreed to it.

    An amount is taken once per billing period, from charges in the order they are billed. Of
    several discounts the lower priority is taken first; a percentage is of the full charge, and
    all of them together never take more than there is.
    """

    key: Key
    name: str
    product: Key
    percent_off: Annotated[Decimal, Field(gt=0, le=100, decimal_places=4)] | None = None
    amount_off: Annotated[Decimal, Field(gt=0, max_digits=28, decimal_places=10)] | None = None
    products: list[Key] = Field(default=[], description="products it reduces")
    categories: list[Key] = Field(
        default=[], description="categories it reduces; neither these nor products named is all"
    )
    periods: int | None = Field(default=None, ge=1, description="first n billing periods only")
    until: dt.date | None = Field(default=None, description="local day after the last")
    priority: int = Field(default=100, description="lower is taken first")

    @model_validator(mode="after")
    def _is_a_percentage_or_an_amount(self) -> "Discount":
        if (self.percent_off is None) == (self.amount_off is None):
            raise ValueError("give either percent_off or amount_off")
        return self


class PlanInCurrency(Configuration):
    """What a plan costs accounts of another currency: every price of the plan once more."""

    currency: CurrencyCode
    prices: Annotated[list[Price], Field(min_length=1)]
    minimum_fee: Amount | None = None
    term_fee: Amount | None = None


class Plan(Configuration):
    """A sellable set of prices with a billing cycle.

    Accounts whose currency is among `in_currencies` are billed by the prices given there.
    """

    key: Key
    name: str
    currency: CurrencyCode
    cycle: BillingCycle = BillingCycle()
    trial_days: int = Field(default=0, ge=0, description="days free of recurring charges")
    prices: Annotated[list[Price], Field(min_length=1)]
    included_units: list[IncludedUnits] = []
    minimum_fee: MinimumFee | None = None
    term: ContractTerm | None = None
    in_currencies: list[PlanInCurrency] = []

    @property
    def currencies(self) -> tuple[str, ...]:
        """Every currency it is sold in, its own first."""
        return (self.currency, *(offer.currency for offer in self.in_currencies))

    def in_currency(self, currency: str) -> "Plan":
        """The plan as accounts of a currency have it; itself where it is not sold in that one."""
        offers = [offer for offer in self.in_currencies if offer.currency == currency]
        if not offers:
            return self
        changed: dict[str, object] = {"currency": currency, "prices": offers[0].prices}
        if self.minimum_fee is not None:
            amount = {"amount": offers[0].minimum_fee}
            changed["minimum_fee"] = self.minimum_fee.model_copy(update=amount)
        if self.term is not None and self.term.fee is not None:
            changed["term"] = self.term.model_copy(update={"fee": offers[0].term_fee})
        return self.model_copy(update=changed)

    @model_validator(mode="after")
    def _is_whole_in_every_currency(self) -> "Plan":
        keys = {price.key for price in self.prices}
        if len(set(self.currencies)) < len(self.currencies):
            raise ValueError("in_currencies names a currency twice")
        for offer in self.in_currencies:
            if {price.key for price in offer.prices} != keys:
                other = sorted({price.key for price in offer.prices} ^ keys)
                raise ValueError(f"in {offer.currency} and {self.currency} prices differ: {other}")
            if (self.minimum_fee is None) != (offer.minimum_fee is None):
                raise ValueError(f"say minimum_fee in {offer.currency} as well as in the plan")
            has_fee = self.term is not None and self.term.fee is not None
            if has_fee != (offer.term_fee is not None):
                raise ValueError(f"say term_fee in {offer.currency} as well as in the plan")
        return self

    @model_validator(mode="after")
    def _included_units_name_prices(self) -> "Plan":
        known = {price.key for price in self.prices}
        for included in self.included_units:
            for key in included.prices:
                if key not in known:
                    raise ValueError(f"included_units {included.key!r} names no price {key!r}")
        return self


class Products(Configuration):
    """The file `products.yaml`."""

    product_categories: list[ProductCategory] = []
    increments: Increment | None = Field(
        default=None, description="rounding of events by prices and products that declare none"
    )
    products: list[Product] = []


class Plans(Configuration):
    """The file `plans.yaml`."""

    plans: list[Plan]
    discounts: list[Discount] = []
