"""The controls as data: who owns each, how strict it is, and what a tenant says otherwise."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import polars as pl

from billing_pipeline.assurance.checks_of_books import CHECKS
from billing_pipeline.assurance.control import Control
from billing_pipeline.customers.policies import ControlSetting

CONTROLS = (
    Control("files_expected", "mediation", "warn", "every landing day brings the files it should"),
    Control("sequence_gap", "mediation", "warn", "numbers in the names of files have no gap"),
    Control("conservation", "mediation", "block", "records and quantity in equal those out"),
    Control("missing_day", "mediation", "block", "every day due was worked on"),
    Control(
        "suspense_age",
        "mediation",
        "warn",
        "records wait in suspense no longer than this many days",
        Decimal(7),
    ),
    Control(
        "suspense_value",
        "mediation",
        "warn",
        "per cent of a feed's usage value that may wait in suspense",
        Decimal(5),
    ),
    Control("identifier_without_owner", "customers", "warn", "used identifiers have an owner"),
    Control("lake_part", "operations", "block", "files of the lake are as they were written"),
    Control("usage_conserved", "rating", "block", "the lake holds what rating counted"),
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
    Control(
        "rate_card_age",
        "pricing",
        "warn",
        "days since the newest prices of a rate card or deck began to hold",
        Decimal(400),
    ),
    Control(
        "exchange_rate_age",
        "finance",
        "warn",
        "days since the newest exchange rate of a currency that is invoiced",
        Decimal(31),
    ),
    Control("rate_card_lapsed", "pricing", "warn", "rate cards have prices in force"),
    Control("usage_charged", "billing", "block", "usage charges hold exactly the rated events"),
    Control(
        "unbilled_age",
        "billing",
        "warn",
        "days usage of a subscription may wait for its charge",
        Decimal(40),
    ),
    Control("charge_once", "billing", "block", "no charge stands twice"),
    Control("service_period_once", "billing", "block", "no service day is charged twice"),
    Control("subscription_without_charge", "billing", "warn", "active subscriptions are charged"),
    Control("charge_without_subscription", "billing", "block", "charges have a subscription"),
    Control("discount_past_end", "billing", "block", "discounts end when they were agreed to"),
    Control("included_units", "billing", "block", "no more is taken free than the plan includes"),
    Control(
        "unusual_amount",
        "billing",
        "warn",
        "times the account's usual document it may come to",
        Decimal(3),
    ),
    Control("rederived_totals", "accounting", "block", "the books, summed another way, agree"),
)
"""Every control of ours that looks at frames, in pipeline order; those over the books follow it."""


def controls_of(
    settings: Mapping[str, ControlSetting], declared: Sequence[Control] = ()
) -> dict[str, Control]:
    """The controls by name as one tenant wants them; those it switched off are missing.

    `declared` are those that other packages bring.
    Raises: ValueError for a setting of a control there is not.
    """
    known = {control.name: control for control in (*CONTROLS, *CHECKS, *declared)}
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
    return rows.select(found.columns)


def _as_set(control: Control, setting: ControlSetting) -> Control:
    return replace(
        control,
        severity=setting.severity or control.severity,
        tolerance=control.tolerance if setting.tolerance is None else setting.tolerance,
        owner=setting.owner or control.owner,
    )
