"""Review a bill day before it is posted: what is held, reported, or waits for a person.

An approval is given for exactly what was shown: its subject ends with a digest of the charges to
post. When facts change, so does the digest, and a person is asked again.
"""

import datetime as dt
from dataclasses import dataclass

import polars as pl

from billing_pipeline.assurance.schema import FINDINGS
from billing_pipeline.billing.bounds import broken_bounds
from billing_pipeline.billing.look_back import posted_in_look_back
from billing_pipeline.billing.past_tiers import PAST_LAST_TIER, past_last_tiers
from billing_pipeline.billing.reconcile import reconcile
from billing_pipeline.billing.review import Review, review
from billing_pipeline.books import approvals, charges, findings
from billing_pipeline.books.restated import APPROVED_ACCOUNT
from billing_pipeline.books.scope import Connection
from billing_pipeline.customers.policies import BillingPolicy
from billing_pipeline.orchestration.steps.compute import ComputedCharges
from billing_pipeline.orchestration.steps.facts import TenantFacts, billing_facts
from billing_pipeline.rating.schema import RATED_USAGE
from billing_pipeline.vocabulary.identifiers import KEY_SEPARATOR, content_key

CONTROL = "bill_review"
APPROVED_RUN = "bill_run"
_DIGEST = 12
_NOBODY = pl.Series("account_key", [], dtype=pl.String)
_NEVER_APPROVED = "duplicate_period"
_BOUNDS_SAY = {
    "duplicate_period": "mend the subscription or its plans",
    PAST_LAST_TIER: "add a tier or another plan, or approve the last tier's price for it",
}


@dataclass(frozen=True)
class ReviewedDay:
    """What may happen to the differences of a bill day, and what a person has to decide first.

    `waiting` has one row per account that a person may release: account_key, subject, message;
    `run_subject` names all that is to be posted.
    """

    review: Review
    found: pl.DataFrame
    waiting: pl.DataFrame
    run_subject: str


def reviewed_day(
    connection: Connection,
    facts: TenantFacts,
    computed: ComputedCharges,
    bill_day: dt.date,
    *,
    stopped: pl.Series = _NOBODY,
) -> ReviewedDay:
    """Judge what computed charges differ by, by the tenant's policy and what people decided.

    Accounts in `stopped` are left out. Nothing is kept: the same code previews and issues.
    """
    known = billing_facts(facts, RATED_USAGE.empty().lazy())
    tenant_key, keys = facts.tenant.key, computed.account_keys
    before = posted_in_look_back(
        known, keys, charges.posted_charges(connection, tenant_key, keys), bill_day
    )
    to_post = reconcile(computed.charges, before).filter(
        ~pl.col("account_key").is_in(stopped.implode())
    )
    policy = facts.tenant.billing_policy
    held = pl.concat(
        [
            broken_bounds(computed.charges, before, to_post, policy),
            past_last_tiers(known, to_post),
        ]
    )
    asked = _questions(to_post, held, review(to_post, held, _NOBODY, policy))
    states = approvals.approval_states(
        connection, tenant_key, APPROVED_ACCOUNT, asked["subject"].to_list()
    )
    allowed = [subject for subject, state in states.items() if state == "approved"]
    approved = asked.filter(pl.col("subject").is_in(allowed)).get_column("account_key")
    still_held = held.filter(~pl.col("account_key").is_in(approved.implode()))
    judged = review(to_post, still_held, approved, policy)
    return ReviewedDay(
        review=judged,
        found=_findings(still_held, judged, bill_day),
        waiting=asked.filter(~pl.col("account_key").is_in(approved.implode())),
        run_subject=KEY_SEPARATOR.join((bill_day.isoformat(), _digest(judged.post))),
    )


def record_review(
    connection: Connection,
    tenant_key: str,
    reviewed: ReviewedDay,
    account_keys: pl.Series,
    now: dt.datetime,
) -> None:
    """Keep what was found, and ask people for what only they can decide."""
    findings.record_findings(
        connection,
        tenant_key,
        reviewed.found,
        controls=[CONTROL],
        seen_at=now,
        # Who is not billed today is as held as before.
        among=account_keys,
    )
    for subject, message in reviewed.waiting.select("subject", "message").rows():
        _ask(connection, tenant_key, APPROVED_ACCOUNT, subject, message, now)


def may_issue(
    connection: Connection,
    tenant_key: str,
    policy: BillingPolicy,
    reviewed: ReviewedDay,
    now: dt.datetime,
) -> bool:
    """Whether the day may be issued; if the tenant approves its bill runs, ask for it."""
    post = reviewed.review.post
    if not policy.approve_bill_runs or post.is_empty():
        return True
    accounts = post["account_key"].n_unique()
    message = f"{post.height} charges of {accounts} accounts, {post['difference'].sum():.2f} net"
    subject = reviewed.run_subject
    return _ask(connection, tenant_key, APPROVED_RUN, subject, message, now) == "approved"


def _ask(
    connection: Connection,
    tenant_key: str,
    kind: str,
    subject: str,
    message: str,
    now: dt.datetime,
) -> str:
    return approvals.request_approval(
        connection,
        tenant_key,
        kind=kind,
        subject=subject,
        message=message,
        requested_by="billing",
        requested_at=now,
    )


def _questions(to_post: pl.DataFrame, held: pl.DataFrame, judged: Review) -> pl.DataFrame:
    """Accounts a person may release: account_key, subject, message.

    A held account is released with all it has to post, one that waits with its corrections.
    """
    broken = held.filter(pl.col("bound") == _NEVER_APPROVED).select("account_key")
    of_bounds = held.group_by("account_key").agg(message=pl.col("message").sort().first())
    of_size = (
        judged.awaiting_approval.group_by("account_key")
        .agg(sum=pl.col("difference").sum().cast(pl.Decimal(38, 2)), corrections=pl.len())
        .select(
            "account_key",
            message=pl.format("{} corrections come to {}", "corrections", "sum"),
        )
    )
    asked = pl.concat([of_bounds, of_size]).join(broken, on="account_key", how="anti")
    asked = asked.unique("account_key", keep="first", maintain_order=True).sort("account_key")
    whole = to_post.join(of_bounds, on="account_key", how="semi")
    shown = pl.concat([whole, judged.awaiting_approval])
    subjects = [
        KEY_SEPARATOR.join((key, _digest(shown.filter(pl.col("account_key") == key))))
        for key in asked["account_key"].to_list()
    ]
    return asked.with_columns(subject=pl.Series(subjects, dtype=pl.String))


def _digest(to_post: pl.DataFrame) -> str:
    lines = to_post.sort("charge_key").select(
        pl.concat_str("charge_key", "posting_number", "difference", separator=" ")
    )
    return content_key("\n".join(lines.to_series().to_list()).encode())[:_DIGEST]


def _findings(held: pl.DataFrame, judged: Review, bill_day: dt.date) -> pl.DataFrame:
    """One finding per account that is held, waits, or whose corrections are only reported."""
    ask = "look at it with `billing bills preview`, then approve or reject it"
    of_bounds = held.select(
        "account_key",
        message=pl.format(
            "{}; nothing was posted on {}: {}",
            "message",
            pl.lit(bill_day),
            pl.col("bound").replace_strict(_BOUNDS_SAY, default=ask),
        ),
    )
    of_size = _sums(judged.awaiting_approval).select(
        "account_key",
        message=pl.format("corrections of {} wait for approval: {}", "sum", pl.lit(ask)),
    )
    reported = _sums(judged.reported).select(
        "account_key",
        message=pl.format("corrections of {} are only reported; they come again", "sum"),
    )
    return FINDINGS.conform(
        pl.concat([of_bounds, of_size, reported])
        .unique("account_key", keep="first", maintain_order=True)
        .select(
            control=pl.lit(CONTROL),
            severity=pl.lit("warn"),
            subject="account_key",
            message="message",
        )
    )


def _sums(differences: pl.DataFrame) -> pl.DataFrame:
    return (
        differences.group_by("account_key")
        .agg(sum=pl.col("difference").sum().cast(pl.Decimal(38, 2)).cast(pl.String))
        .sort("account_key")
    )
