"""All controls over one tenant's facts, as one list: add yours here or by an entry point.

A package adds a control with an entry point in the group `billing_pipeline.controls` that names a
`Run`; its findings carry the name of a control that the run declares.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from importlib.metadata import entry_points
from typing import NamedTuple

import polars as pl

from billing_pipeline.assurance import (
    charging,
    conservation,
    controls,
    deliveries,
    plausibility,
    rederived,
    rerated,
    shared_pools,
    usage_kept,
)
from billing_pipeline.assurance.catalogue import controls_of, judged
from billing_pipeline.assurance.control import Control
from billing_pipeline.assurance.facts import AssuranceFacts
from billing_pipeline.assurance.findings import all_findings
from billing_pipeline.customers.policies import ControlSetting

GROUP = "billing_pipeline.controls"


class Run(NamedTuple):
    """The controls one function answers for, and the function.

    `declared` are those of the controls that stand in no catalogue of ours.
    """

    controls: tuple[str, ...]
    find: Callable[[AssuranceFacts, Mapping[str, Decimal]], pl.DataFrame]
    declared: tuple[Control, ...] = ()


RUNS = (
    Run(
        ("files_expected",),
        lambda facts, _: deliveries.files_expected(
            facts.landed, facts.feeds, facts.first_day, facts.day
        ),
    ),
    Run(("sequence_gap",), lambda facts, _: deliveries.sequence_gaps(facts.landed, facts.feeds)),
    Run(
        ("identifier_without_owner",),
        lambda facts, _: deliveries.identifiers_without_owner(facts.suspense),
    ),
    Run(
        ("conservation",),
        lambda facts, _: conservation.conservation_gaps(facts.conservation),
    ),
    Run(
        ("missing_day",),
        lambda facts, _: conservation.missing_days(facts.days_due, facts.conservation),
    ),
    Run(
        ("suspense_age",),
        lambda facts, tolerance: plausibility.suspense_age(
            facts.suspense, facts.now, tolerance["suspense_age"]
        ),
    ),
    Run(
        ("suspense_value",),
        lambda facts, tolerance: usage_kept.suspense_value(
            facts.suspense, facts.usage.per_day, tolerance["suspense_value"]
        ),
    ),
    Run(("lake_part",), lambda facts, _: usage_kept.parts_intact(facts.parts)),
    Run(
        ("usage_conserved",),
        lambda facts, _: usage_kept.usage_conserved(facts.usage.counted, facts.conservation),
    ),
    Run(
        ("usage_outside_subscription",),
        lambda facts, _: plausibility.usage_lies_within_subscriptions(
            facts.usage.per_day, facts.subscriptions
        ),
    ),
    Run(
        ("event_prices",),
        lambda facts, _: rerated.event_prices(
            facts.usage.at_prices, facts.catalog, facts.card_prices
        ),
    ),
    Run(
        ("zero_rated",),
        lambda facts, tolerance: plausibility.zero_rated_usage(
            facts.usage.free, tolerance["zero_rated"]
        ),
    ),
    Run(
        ("below_cost",),
        lambda facts, tolerance: plausibility.below_cost(
            facts.usage.margins, tolerance["below_cost"]
        ),
    ),
    Run(
        ("rate_card_age", "rate_card_lapsed"),
        lambda facts, tolerance: charging.rate_cards_current(
            facts.rate_cards, facts.day, tolerance["rate_card_age"]
        ),
    ),
    Run(
        ("exchange_rate_age",),
        lambda facts, tolerance: charging.exchange_rates_current(
            facts.tenant, facts.documents, facts.day, tolerance["exchange_rate_age"]
        ),
    ),
    Run(
        ("usage_charged",),
        lambda facts, _: usage_kept.usage_charged(facts.computed, facts.usage.per_day),
    ),
    Run(
        ("unbilled_age",),
        lambda facts, tolerance: usage_kept.unbilled_age(
            facts.usage.per_day, facts.charged, facts.day, tolerance["unbilled_age"]
        ),
    ),
    Run(
        ("charge_once", "service_period_once"),
        lambda facts, _: controls.charges_not_twice(facts.computed),
    ),
    Run(
        ("subscription_without_charge",),
        lambda facts, _: charging.subscriptions_are_charged(
            facts.never_suspended, facts.standing, facts.catalog, facts.day
        ),
    ),
    Run(
        ("charge_without_subscription",),
        lambda facts, _: charging.charges_have_subscriptions(facts.standing, facts.subscriptions),
    ),
    Run(
        ("discount_past_end",),
        lambda facts, _: charging.discounts_end(facts.standing, facts.catalog),
    ),
    Run(
        ("included_units",),
        lambda facts, _: all_findings(
            [
                charging.included_units_kept(
                    facts.computed, facts.usage.per_day, facts.never_swapped, facts.catalog
                ),
                shared_pools.shared_units_kept(
                    facts.computed,
                    facts.usage.per_day,
                    facts.subscriptions,
                    facts.swapped,
                    facts.accounts,
                    facts.catalog,
                ),
            ]
        ),
    ),
    Run(
        ("unusual_amount",),
        lambda facts, tolerance: plausibility.unusual_amounts(
            facts.newest_documents, facts.earlier_documents, tolerance["unusual_amount"]
        ),
    ),
    Run(
        ("rederived_totals",),
        lambda facts, _: all_findings(
            [
                rederived.rederived_usage(facts.computed, facts.usage.per_day, facts.catalog),
                rederived.rederived_books(facts.documents, facts.journal),
            ]
        ),
    ),
)
"""Every control of ours that looks at frames; those that are SQL lie in `sql/checks`."""


class Assured(NamedTuple):
    """What the controls said: ACCOUNT_FINDINGS, the controls asked, and all the tenant wants."""

    found: pl.DataFrame
    controls: tuple[Control, ...]
    wanted: dict[str, Control]


def assure(facts: AssuranceFacts) -> Assured:
    """Run every control the tenant has not switched off, with its tolerance and severity."""
    runs = all_runs()
    wanted = controls_of(facts.tenant.controls, _declared(runs))
    tolerances = {
        name: control.tolerance for name, control in wanted.items() if control.tolerance is not None
    }
    runs = [run for run in runs if any(name in wanted for name in run.controls)]
    # A control that is off lends its tolerance to one that shares its function.
    defaults = {name: Decimal(0) for run in runs for name in run.controls}
    found = all_findings([run.find(facts, {**defaults, **tolerances}) for run in runs])
    asked = {name for run in runs for name in run.controls}
    own = tuple(control for name, control in wanted.items() if name in asked)
    return Assured(judged(found, wanted), own, wanted)


def wanted_controls(settings: Mapping[str, ControlSetting]) -> dict[str, Control]:
    """The controls there are, over frames, over the books, of other packages, as a tenant wants.

    Raises: ValueError for a setting of a control there is not.
    """
    return controls_of(settings, _declared(all_runs()))


def all_runs() -> list[Run]:
    """Ours and those that other packages register."""
    return [*RUNS, *(point.load() for point in entry_points(group=GROUP))]


def _declared(runs: Sequence[Run]) -> list[Control]:
    return [control for run in runs for control in run.declared]
