"""The base of every configuration model: strict, frozen, unknown keys refused."""

from functools import cache
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, StringConstraints

Key = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$")]
"""Key of a configured thing: lower case letters, digits, `_`, `-` and `.`."""

CurrencyCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]
CountryCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]


class Configuration(BaseModel):
    """One configured thing. Unknown keys are mistakes, never ignored."""

    # Ledger accounts, postal codes and bank numbers are text people write without quotes.
    # Validators are built when first used: most processes start without reading configuration.
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        str_strip_whitespace=True,
        coerce_numbers_to_str=True,
        defer_build=True,
    )


@cache
def time_zones() -> frozenset[str]:
    """Names of all IANA time zones; listing them reads many files, so it is done once."""
    return frozenset(available_timezones())
