"""Exchange rates by day, as the tenant takes them from a named source (`fx_rates.csv`)."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated

from pydantic import Field

from billing_pipeline.vocabulary.configuration import Configuration, CurrencyCode


class FxRate(Configuration):
    """What one unit of a currency is worth in another, from a day on until the next rate."""

    from_currency: CurrencyCode
    to_currency: CurrencyCode
    rate: Annotated[Decimal, Field(gt=0, max_digits=28, decimal_places=10)]
    valid_from: dt.date
    source: Annotated[str, Field(min_length=1)]

    @property
    def key(self) -> str:
        """Both currencies and the day."""
        return f"{self.from_currency}/{self.to_currency}/{self.valid_from.isoformat()}"


def rate_on(
    rates: Sequence[FxRate], from_currency: str, to_currency: str, day: dt.date
) -> FxRate | None:
    """The latest rate that was known for `day`; None if there is none yet."""
    pair = (from_currency, to_currency)
    known = [
        rate
        for rate in rates
        if (rate.from_currency, rate.to_currency) == pair and rate.valid_from <= day
    ]
    return max(known, key=lambda rate: rate.valid_from, default=None)
