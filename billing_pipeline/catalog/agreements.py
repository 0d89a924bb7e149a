"""Prices agreed with some customers only (`prices.yaml`): what they replace, for whom and when."""

import datetime as dt
from typing import Self

from pydantic import Field, model_validator

from billing_pipeline.catalog.price_terms import FIXED_TERMS, Terms
from billing_pipeline.catalog.prices import Price
from billing_pipeline.vocabulary.configuration import Configuration, CurrencyCode, Key

ALWAYS = dt.date(2000, 1, 1)
"""First day of what names none."""

CustomerKey = str
"""Key of an account or subscription; capitals may stand in it."""


class NegotiatedPrice(Configuration):
    """A price of a plan that somebody has otherwise, for some days.

    It is for one `subscription`, for one `account` and all below it, for an `account_type`, or,
    where none of them is named, for everyone who buys of this tenant. Give a whole `price`, or
    the `terms` that differ from the plan's price.
    """

    key: Key = Field(description="name of the agreement, for people and explanations")
    subscription: CustomerKey | None = None
    account: CustomerKey | None = Field(
        default=None, description="the account and every account below it"
    )
    account_type: str | None = None
    plans: list[Key] = Field(default=[], description="plans it holds in; none named is all")
    currency: CurrencyCode | None = Field(
        default=None, description="only for subscriptions billed in it"
    )
    instead_of: Key | None = Field(
        default=None, description="key of the plan's price; the price's own key if left out"
    )
    price: Price | None = None
    terms: Terms = Field(
        default={}, description="what differs from the plan's price, e.g. {amount: 0.04}"
    )
    valid_from: dt.date = ALWAYS
    valid_until: dt.date | None = None

    @model_validator(mode="after")
    def _is_for_one_target(self) -> Self:
        if sum(one is not None for one in (self.subscription, self.account, self.account_type)) > 1:
            raise ValueError("give only one of subscription, account and account_type")
        if self.valid_until is not None and self.valid_until <= self.valid_from:
            raise ValueError("valid_until must be after valid_from; it is the day after the last")
        return self

    @model_validator(mode="after")
    def _says_what_it_costs(self) -> Self:
        if (self.price is None) == (not self.terms):
            raise ValueError("give either a whole price or the terms that differ")
        if self.price is None and self.instead_of is None:
            raise ValueError("terms need instead_of, the key of the plan's price they change")
        fixed = FIXED_TERMS & self.terms.keys()
        if fixed:
            raise ValueError(f"terms cannot change {sorted(fixed)}; give a whole price")
        if self.price is not None and (
            self.price.valid_from != ALWAYS or self.price.valid_until is not None
        ):
            raise ValueError("valid_from and valid_until belong to the agreement, not its price")
        return self

    @property
    def replaces(self) -> str:
        """Key of the plan's price it stands for."""
        if self.instead_of is not None:
            return self.instead_of
        return "" if self.price is None else self.price.key

    def agreed(self, listed: Price) -> Price:
        """The price in the plan's place; its days are the caller's business.

        Raises: pydantic.ValidationError if the terms do not fit the model of the listed price.
        """
        if self.price is not None:
            return self.price
        return type(listed).model_validate({**listed.model_dump(exclude_unset=True), **self.terms})


class NegotiatedPrices(Configuration):
    """The file `prices.yaml`."""

    prices: list[NegotiatedPrice]
