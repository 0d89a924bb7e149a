"""Hand over to all accounting systems of a tenant; what one refuses does not hold up the others."""

import datetime as dt
from collections.abc import Iterable
from typing import NamedTuple

from billing_pipeline.accounting.handoff.format import MappingRefused
from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.book import HandedOff, hand_off_journal
from billing_pipeline.orchestration.steps.tell_customers import ToldCustomers, tell_customers


class HandOver(NamedTuple):
    """What one hand-over came to: customers, the journal that names them, and what was refused."""

    customers: list[ToldCustomers]
    journal: list[HandedOff]
    refused: list[str]


def hand_over(
    installation: Installation, tenant: Tenant, bill_day: dt.date, now: dt.datetime
) -> HandOver:
    """Hand over what waits, format by format: its customers first, then its journal.

    A format whose customers were refused gets no journal; the others get theirs. `refused` says
    which format of which tenant it was, and why.
    """
    done = HandOver([], [], [])
    for format_name in tenant.handoff_formats:
        try:
            done.customers.extend(tell_customers(installation, tenant, format_name, bill_day, now))
            done.journal.extend(hand_off_journal(installation, tenant, format_name, bill_day, now))
        except MappingRefused as refusal:
            done.refused.append(f"{tenant.key}, {format_name}: {refusal}")
    return done


def raise_refused(refused: Iterable[str]) -> None:
    """Say what was refused, once all else is handed over.

    Raises: MappingRefused naming every format of every tenant that got nothing, if there is one.
    """
    if reasons := list(dict.fromkeys(refused)):
        raise MappingRefused("not handed over:\n" + "\n".join(reasons))
