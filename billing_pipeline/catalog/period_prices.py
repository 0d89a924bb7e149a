"""Prices of a billing period as a whole: tiers, packages, percentiles, counts."""

from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from billing_pipeline.catalog.price_terms import (
    Amount,
    BaseUsagePrice,
    Increment,
    Tier,
    TieredUsage,
    Units,
    must_rise,
)


class _CumulativeTiers(TieredUsage):
    """Tiers over the quantity of a period."""

    additional_units: Units = Field(
        default=Decimal(0),
        description="pricing units owed beside what was measured, in a period with usage",
    )


class GraduatedUsage(_CumulativeTiers):
    """Each slice of the period's usage at its own tier's price."""

    model: Literal["graduated"]


class VolumeUsage(_CumulativeTiers):
    """All of the period's usage at the price of the tier it reaches."""

    model: Literal["volume"]


class ThresholdUsage(_CumulativeTiers):
    """One amount for the whole period: that of the tier its usage reaches."""

    model: Literal["threshold"]


class PackageUsage(BaseUsagePrice):
    """The period's usage in whole blocks of `size` pricing units; a started block is owed."""

    model: Literal["package"]
    size: Annotated[Decimal, Field(gt=0, max_digits=28, decimal_places=10)]
    additional_units: Units = Field(
        default=Decimal(0),
        description="pricing units owed beside what was measured, in a period with usage",
    )
    amount: Amount
    pricing_unit: Units = Field(default=Decimal(1), gt=0)
    unit: str = ""
    increments: Increment | None = None


class PercentileUsage(BaseUsagePrice):
    """Burstable bandwidth: sort the period's samples, drop the top, bill the next.

    Inbound and outbound series are judged separately and the greater is billed, or they are
    added sample by sample. A missing sample counts as absent, or as zero: then the period is
    divided into samples of `sample_minutes`. `commit` units are billed at least.
    """

    model: Literal["percentile"]
    percentile: Annotated[Decimal, Field(gt=0, le=100)] = Decimal(95)
    amount: Amount
    pricing_unit: Units = Field(default=Decimal(1), gt=0)
    unit: str = ""
    commit: Units = Decimal(0)
    directions: Literal["greater", "sum"] = "greater"
    missing: Literal["absent", "zero"] = "absent"
    sample_minutes: int = Field(default=5, ge=1, le=1440, description="for missing: zero")


class LatestUsage(BaseUsagePrice):
    """The last reported count of the period at a price each (licences, seats)."""

    model: Literal["latest"]
    amount: Amount
    unit: str = ""


class MeteredUsage(BaseUsagePrice):
    """What a meter shows over the period, by an aggregate of its events, at a price or in tiers.

    With `group_by` the aggregate is taken of each group apart and the groups' results are
    added: the highest load of each region, say. `unique` counts the different values of a field;
    `time_weighted` lets each value stand until the next is reported and takes the average over
    the whole period; `sum` and `count` need no more. Which events count is said by `applies_to`.
    """

    model: Literal["metered"]
    aggregate: Literal["sum", "count", "max", "latest", "unique", "time_weighted", "percentile"]
    field: str | None = Field(
        default=None, description="for unique: origin, destination, or an attribute"
    )
    group_by: list[str] = Field(
        default=[], description="origin, destination, direction, or attributes"
    )
    percentile: Annotated[Decimal, Field(gt=0, le=100)] = Decimal(95)
    amount: Amount | None = None
    tiers: list[Tier] = Field(default=[], description="each slice at its own tier's price")
    pricing_unit: Units = Field(default=Decimal(1), gt=0)
    unit: str = ""

    @model_validator(mode="after")
    def _is_priced_once(self) -> Self:
        if (self.amount is None) == (not self.tiers):
            raise ValueError("give either amount or tiers")
        if (self.aggregate == "unique") != (self.field is not None):
            raise ValueError("give field with aggregate: unique, and only with it")
        must_rise(self.tiers)
        return self
