"""The controls as data: who owns each, how strict it is, and what a tenant says otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

import polars as pl

from billing_pipeline.assurance.schema import FINDINGS
from billing_pipeline.customers.tenant import ControlSetting, ControlSeverity


@dataclass(frozen=True)
class Control:
    """One control; `tolerance` is in the unit its meaning names, none where none is meant."""

    name: str
    owner: str
    severity: ControlSeverity
    meaning: str
    tolerance: Decimal | None = None


CONTROLS = (
    Control("conservation", "mediation", "block", "records and quantity in equal those out"),
    Control("missing_day", "mediation", "block", "every day due was worked on"),
    Control(
        "suspense_age",
        "mediation",
        "warn",
        "records wait in suspense no longer than this many days",
        Decimal(7),
    ),
    Control("usage_outside_subscription", "rating", "block", "usage lies within its subscription"),
    Control(
        "zero_rated",
        "rating",
        "warn",
        "per cent of a product's priced events that may cost nothing",
        Decimal(1),
    ),
    Control(
        "below_cost",
        "rating",
        "warn",
        "per cent of its cost a destination may lose",
        Decimal(0),
    ),
    Control("charge_once", "billing", "block", "no charge stands twice"),
    Control("service_period_once", "billing", "block", "no service day is charged twice"),
    Control("subscription_without_charge", "billing", "warn", "active subscriptions are charged"),
    Control("charge_without_subscription", "billing", "block", "charges have a subscription"),
    Control(
        "unusual_amount",
        "billing",
        "warn",
        "times the account's usual document it may come to",
        Decimal(3),
    ),
    Control("charges_equal_invoice_lines", "invoicing", "block", "charges are invoiced exactly"),
    Control("documents_equal_their_lines", "invoicing", "block", "documents add up"),
    Control("number_series", "invoicing", "block", "document numbers have no gap"),
    Control("journal_equals_documents", "accounting", "block", "documents are booked once"),
    Control("journal_balances", "accounting", "block", "debits equal credits"),
)
"""Every control there is, in pipeline order."""


def controls_of(settings: Mapping[str, ControlSetting]) -> dict[str, Control]:
    """The controls by name as one tenant wants them; those it switched off are missing.

    Raises: ValueError for a setting of a control there is not.
    """
    known = {control.name: control for control in CONTROLS}
    unknown = sorted(set(settings) - set(known))
    if unknown:
        raise ValueError(f"no control is called {', '.join(unknown)}; there are {', '.join(known)}")
    return {
        name: _as_set(control, settings.get(name, ControlSetting()))
        for name, control in known.items()
        if not settings.get(name, ControlSetting()).is_off
    }


def judged(found: pl.DataFrame, controls: Mapping[str, Control]) -> pl.DataFrame:
    """Findings with the severity their control has; those of controls switched off are left out."""
    severities: dict[str, str] = {name: control.severity for name, control in controls.items()}
    rows = found.filter(pl.col("control").is_in(list(severities))).with_columns(
        severity=pl.col("control").replace_strict(severities, return_dtype=pl.String)
    )
    return FINDINGS.conform(rows)


def _as_set(control: Control, setting: ControlSetting) -> Control:
    return replace(
        control,
        severity=setting.severity or control.severity,
        tolerance=control.tolerance if setting.tolerance is None else setting.tolerance,
        owner=setting.owner or control.owner,
    )
