"""Retention: what is old enough to be masked, what holds it back, and masking it."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from billing_pipeline.books import audit, retention
from billing_pipeline.books import catalog as stored
from billing_pipeline.books.retention_schema import MASKABLE_DAYS
from billing_pipeline.books.scope import installation_scope
from billing_pipeline.customers.retention import Family, families
from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.mask import (
    mask_landing_day,
    mask_usage_day,
    reach_days,
    remove_what_is_left,
)

_DAYS_NAMED = 5


@dataclass(frozen=True)
class Plan:
    """What masking a family would do now: MASKABLE_DAYS of usage and of files; are files left?"""

    family: Family
    usage_days: pl.DataFrame
    landing_days: pl.DataFrame
    is_untidy: bool = False

    @property
    def is_due(self) -> bool:
        """Whether some days may be masked now, or a run that died left files of masked ones."""
        return self.is_untidy or bool(_free(self.usage_days) or _free(self.landing_days))

    def lines(self) -> Iterator[str]:
        """The plan for people."""
        if self.family.before is None:
            silent = ", ".join(self.family.keeps_for_ever)
            yield f"{self.family.root}: kept for ever; without mask_usage_after_days: {silent}"
            return
        yield f"{self.family.root}: usage before {self.family.before} may be masked"
        if self.is_untidy:
            yield "  files of days masked before are still to be removed"
        for what, days in (("usage day", self.usage_days), ("landing day", self.landing_days)):
            free = days.filter(pl.col("held_by").is_null())["day"].to_list()
            if free:
                yield f"  {len(free)} {what}(s) to mask, {free[0]} to {free[-1]}"
            held = days.drop_nulls("held_by")
            for (why,), some in held.partition_by("held_by", as_dict=True).items():
                named = ", ".join(str(day) for day in some["day"].head(_DAYS_NAMED))
                more = " ..." if some.height > _DAYS_NAMED else ""
                yield f"  {some.height} {what}(s) held: {why} ({named}{more})"


@dataclass(frozen=True)
class Masking:
    """What masking a family came to."""

    family: Family
    usage_days: int
    landing_days: int
    files_removed: int

    @property
    def words(self) -> str:
        """In one sentence."""
        return (
            f"{self.usage_days} usage days and {self.landing_days} landing days before "
            f"{self.family.before} masked, {self.files_removed} files removed"
        )


def plans(installation: Installation, now: dt.datetime, root: str | None = None) -> list[Plan]:
    """What masking would do now, family by family; `root` asks for the one that has this tenant."""
    return [_plan(installation, family) for family in _families(installation, now, root)]


def mask(
    installation: Installation, plan: Plan, now: dt.datetime, *, by: str, note: str
) -> Masking:
    """Mask what a plan says and nothing holds; who let it be done is kept. Again does nothing."""
    family = plan.family
    if family.before is None:
        return Masking(family, 0, 0, 0)
    days = _free(plan.usage_days)
    for day in days:
        mask_usage_day(installation, family, day, now)
    # Which files serve no day any more shows only now.
    landed = _free(_plan(installation, family).landing_days)
    for day in landed:
        mask_landing_day(installation, family, day, now)
    removed = remove_what_is_left(installation, family, now)
    done = Masking(family, len(days), len(landed), removed)
    if days or landed or removed:
        with installation_scope(installation.engine) as connection:
            audit.log_decision(
                connection, family.root, actor=by, action="masked", subject=done.words, note=note
            )
    return done


def _plan(installation: Installation, family: Family) -> Plan:
    nothing = MASKABLE_DAYS.empty()
    if family.before is None:
        return Plan(family, nothing, nothing)
    keys = family.tenant_keys
    reach = reach_days(installation, keys)
    with installation_scope(installation.engine) as connection:
        return Plan(
            family,
            retention.maskable_usage_days(connection, keys, family.before),
            retention.maskable_landing_days(connection, keys, family.before, reach),
            is_untidy=any(
                not left.is_empty()
                for left in (
                    retention.untidy_partitions(connection, keys),
                    retention.itemisations_of_masked_usage(connection, keys),
                    retention.forgotten_files(connection, keys),
                )
            ),
        )


def _families(installation: Installation, now: dt.datetime, tenant: str | None) -> list[Family]:
    with installation_scope(installation.engine) as connection:
        documents = stored.read_tenant_documents(connection)["document"]
    tenants = [Tenant.model_validate_json(document) for document in documents]
    found = families(tenants, now.date())
    if tenant is None:
        return found
    named = [family for family in found if tenant in family.tenant_keys]
    if not named:
        raise LookupError(f"no tenant {tenant!r}; apply its folder: billing catalog apply DIR")
    return named


def _free(days: pl.DataFrame) -> list[dt.date]:
    return days.filter(pl.col("held_by").is_null())["day"].to_list()
