"""One control as data."""

from dataclasses import dataclass
from decimal import Decimal

from billing_pipeline.customers.policies import ControlSeverity


@dataclass(frozen=True)
class Control:
    """One control; `tolerance` is in the unit its meaning names, none where none is meant."""

    name: str
    owner: str
    severity: ControlSeverity
    meaning: str
    tolerance: Decimal | None = None
