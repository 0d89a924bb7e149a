"""What a tenant wants otherwise of billing, controls, suspense, currencies and month-ends."""

import datetime as dt
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field

from billing_pipeline.vocabulary.configuration import Configuration, CurrencyCode, Key

Percent = Annotated[Decimal, Field(gt=0, le=1000, max_digits=28, decimal_places=10)]
PositiveAmount = Annotated[Decimal, Field(gt=0, max_digits=28, decimal_places=10)]
ControlSeverity = Literal["warn", "block"]


class ExchangeRate(Configuration):
    """What one unit of a foreign currency is worth in the tenant's own, from a day on."""

    currency: CurrencyCode
    valid_from: dt.date
    rate: PositiveAmount
    source: str = Field(default="", description="who publishes it, for the auditor")


class IntercompanySupply(Configuration):
    """What another tenant of the company supplies for a product that this one sells."""

    supplier: Key
    product: Key = Field(description="product of this tenant")
    percent_of_revenue: Annotated[Decimal, Field(gt=0, le=100)]


class MonthEnd(Configuration):
    """What happens to a month that is over."""

    close_on_day: int | None = Field(
        default=None, ge=1, le=28, description="day of the next month; None: a person closes it"
    )


class SuspensePolicy(Configuration):
    """When usage in suspense wants a person: by its age, and by what it is probably worth."""

    warn_after_days: int = Field(default=7, ge=0, description="the oldest record waits longer")
    warn_above_percent: Decimal = Field(
        default=Decimal(1), ge=0, description="of what was rated in the last 31 days of usage"
    )
    warn_above: PositiveAmount | None = Field(
        default=None, description="fixed amount instead of the share, in the tenant's currency"
    )


class RetentionPolicy(Configuration):
    """How long numbers, addresses and other personal data of usage are kept."""

    mask_usage_after_days: int | None = Field(
        default=None,
        ge=1,
        description="days after which usage of closed months is masked; None: as the tenant above "
        "says, or never",
    )


class ControlSetting(Configuration):
    """What a tenant wants otherwise of one control."""

    severity: ControlSeverity | None = None
    tolerance: Decimal | None = Field(default=None, description="in the unit of the control")
    owner: str | None = Field(default=None, description="who is asked when it finds something")
    is_off: bool = False


class BillingPolicy(Configuration):
    """When a bill run posts by itself, and when it only reports, asks, or holds an account.

    Amounts are in the tenant's currency. Corrections are changes of what was posted before.
    """

    report_only_below: PositiveAmount | None = Field(
        default=None, description="an account's corrections that sum to less are only reported"
    )
    approval_above: PositiveAmount | None = Field(
        default=None, description="an account's corrections that sum to more wait for a person"
    )
    most_charges: int = Field(
        default=10_000, ge=1, description="an account with more charges in a run is held"
    )
    jump_factor: PositiveAmount | None = Field(
        default=None, description="an account is held above so many times its dearest bill so far"
    )
    approve_bill_runs: bool = Field(
        default=False, description="a bill day is issued only after a person approved its preview"
    )
    corrections: Literal["with_next", "own_documents"] = Field(
        default="with_next",
        description="corrections are lines of the next document, or a credit note and an invoice",
    )
    usage_alerts: list[PositiveAmount] = Field(
        default=[], description="amounts of unbilled usage at which an account's draft is announced"
    )
    expected_bill_alerts: list[PositiveAmount] = Field(
        default=[], description="amounts at which an account's expected bill is announced"
    )
    included_unit_alerts: list[Percent] = Field(
        default=[], description="per cent of a pool of included units, e.g. [80, 100]"
    )
