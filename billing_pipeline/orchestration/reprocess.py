"""Reprocess a closed span of a tenant: preview in money, approve, recompute, correct.

Nothing that was issued changes. The difference rides on documents of the next bill day, which
takes the accounts that a person approved beside those that are due anyway.
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from billing_pipeline.books import approvals, billed, due
from billing_pipeline.books.restated import APPROVED_ACCOUNT
from billing_pipeline.books.scope import installation_scope, tenant_scope
from billing_pipeline.customers.tenant import Tenant
from billing_pipeline.orchestration.days import ONE_DAY
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.steps.facts import read_facts
from billing_pipeline.orchestration.steps.trial import try_days
from billing_pipeline.vocabulary.frames import FrameSchema, required
from billing_pipeline.vocabulary.identifiers import KEY_SEPARATOR
from billing_pipeline.vocabulary.money import AMOUNT

CHANGES = FrameSchema(
    name="reprocess_preview",
    grain="one row per account whose charges would change",
    columns={
        "account_key": required(pl.String, "billing account"),
        "charges": required(pl.UInt32, "charges that would change"),
        "before": required(AMOUNT, "net amount posted of these charges, major units"),
        "after": required(AMOUNT, "net amount they would have"),
        "difference": required(AMOUNT, "what would be posted: negative is a credit"),
        "documents": required(pl.String, "issued documents that the difference corrects"),
    },
)


class CannotReprocess(Exception):
    """A span cannot be previewed or reprocessed as asked; nothing was changed."""


@dataclass(frozen=True)
class Preview:
    """What reprocessing a span would come to, account by account. Amounts without tax."""

    tenant_key: str
    first: dt.date
    last: dt.date
    as_of: dt.date
    currency: str
    events: int
    suspended: int
    changes: pl.DataFrame
    differences: pl.DataFrame

    @property
    def total(self) -> Decimal:
        """Sum of the differences, in major units."""
        return Decimal(self.changes["difference"].sum() or 0)

    @property
    def words(self) -> str:
        """The preview in one sentence."""
        return (
            f"{self.tenant_key} {self.first} to {self.last}: {self.events} events, "
            f"{self.suspended} of them in suspense; {self.changes.height} accounts would change by "
            f"{self.total:,.2f} {self.currency} in total, against what was billed to {self.as_of}"
        )


def preview(installation: Installation, tenant_key: str, first: dt.date, last: dt.date) -> Preview:
    """What would be posted if the days first to last were rated as configured now.

    Compares with all that was posted up to the last bill day; writes nothing.
    Raises: CannotReprocess if nothing was billed yet, or days wait for mediation.
    """
    facts = read_facts(installation, tenant_key)
    with tenant_scope(installation.engine, tenant_key) as connection:
        as_of = billed.last_billed_day(connection, tenant_key)
        days = billed.days_with_usage(connection, tenant_key, first, last + ONE_DAY)
    if as_of is None:
        raise CannotReprocess(f"{tenant_key} has not been billed yet; there is nothing to compare")
    _refuse_unmediated(installation, first, last)
    trial = try_days(installation, facts, days, as_of)
    return Preview(
        tenant_key=tenant_key,
        first=first,
        last=last,
        as_of=as_of,
        currency=facts.tenant.currency,
        events=trial.events,
        suspended=trial.suspended,
        changes=_by_account(trial.differences),
        differences=trial.differences,
    )


def _refuse_unmediated(installation: Installation, first: dt.date, last: dt.date) -> None:
    with installation_scope(installation.engine) as connection:
        stale = due.stale_usage_days(connection)
    waiting = stale.filter(pl.col("usage_day").is_between(first, last))["usage_day"]
    if not waiting.is_empty():
        days = ", ".join(str(day) for day in waiting.unique().sort().head(5))
        raise CannotReprocess(
            f"usage of {days} has come in and is not mediated yet; "
            "wait for the daemon or materialise mediated_usage, then ask again"
        )


def _by_account(differences: pl.DataFrame) -> pl.DataFrame:
    by_account = differences.group_by("account_key").agg(
        charges=pl.len(),
        before=pl.col("posted_amount").sum(),
        after=pl.col("amount").sum(),
        difference=pl.col("difference").sum(),
        documents=pl.col("corrects_invoice").drop_nulls().unique().sort().str.join(", "),
    )
    size = pl.col("difference").abs()
    return CHANGES.conform(by_account.sort(size, "account_key", descending=[True, False]))


def next_bill_day(tenant: Tenant, now: dt.datetime) -> dt.date:
    """The first local day whose bill hour comes after `now`: what is approved now is on it."""
    local = now.astimezone(tenant.zone)
    return local.date() if local.hour < tenant.bill_hour else local.date() + ONE_DAY


@dataclass(frozen=True)
class Reason:
    """Who asked for a reprocess, who approved it, and why. Two people."""

    asked_by: str
    approved_by: str
    words: str


def approve_changes(
    installation: Installation, shown: Preview, reason: Reason, now: dt.datetime
) -> int:
    """Have the previewed accounts billed on the next bill day; return how many.

    Asking again for the same span changes nothing for accounts that were decided before.
    Raises: CannotReprocess if one person asks and approves.
    """
    if reason.asked_by == reason.approved_by:
        raise CannotReprocess(f"{reason.approved_by} asked for it; somebody else has to approve")
    questions = shown.changes.select(
        subject=pl.concat_str(
            "account_key",
            pl.lit(f"reprocess {shown.first} to {shown.last}"),
            separator=KEY_SEPARATOR,
        ),
        message=pl.format("{}: {} {}", pl.lit(reason.words), "difference", pl.lit(shown.currency)),
    )
    with tenant_scope(installation.engine, shown.tenant_key) as connection:
        return approvals.approve_all(
            connection,
            shown.tenant_key,
            questions,
            kind=APPROVED_ACCOUNT,
            requested_by=reason.asked_by,
            approved_by=reason.approved_by,
            at=now,
            note=reason.words,
        )
