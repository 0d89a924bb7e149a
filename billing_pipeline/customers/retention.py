"""Until when usage keeps its numbers: a company with all below it is masked together."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from billing_pipeline.customers.tenant import Tenant


@dataclass(frozen=True)
class Family:
    """A tenant nobody is above, with all below it; usage before `before` may be masked.

    Without `before` nothing may: `keeps_for_ever` names the tenants that say no number of days.
    """

    root: str
    tenant_keys: tuple[str, ...]
    before: dt.date | None
    keeps_for_ever: tuple[str, ...]


def families(tenants: Sequence[Tenant], today: dt.date) -> list[Family]:
    """The families of an installation, by root.

    One file brings usage of several brands, so they are masked together, by the longest of their
    times; who says nothing takes the time of the tenant above.
    """
    by_key = {tenant.key: tenant for tenant in tenants}
    members: dict[str, list[str]] = {}
    for key in sorted(by_key):
        members.setdefault(_lineage(by_key, key)[-1].key, []).append(key)
    return [_family(by_key, root, keys, today) for root, keys in sorted(members.items())]


def _family(by_key: Mapping[str, Tenant], root: str, keys: Sequence[str], today: dt.date) -> Family:
    days = {key: _days(_lineage(by_key, key)) for key in keys}
    silent = tuple(key for key, kept in days.items() if kept is None)
    known = [kept for kept in days.values() if kept is not None]
    before = None if silent else today - dt.timedelta(days=max(known))
    return Family(root, tuple(keys), before, silent)


def _lineage(by_key: Mapping[str, Tenant], key: str) -> list[Tenant]:
    """The tenant and those above it, the root last."""
    lineage = [by_key[key]]
    while (parent := lineage[-1].parent) is not None and parent in by_key:
        lineage.append(by_key[parent])
    return lineage


def _days(lineage: Sequence[Tenant]) -> int | None:
    said = (tenant.retention.mask_usage_after_days for tenant in lineage)
    return next((days for days in said if days is not None), None)
