"""`billing bills`: look at a bill day before it is issued, and decide about it."""

import datetime as dt
import json
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from billing_pipeline.orchestration.bills import Preview

_DAY = click.DateTime(["%Y-%m-%d"])
_SHOWN = 30


@click.group()
def bills() -> None:
    """Bill days: preview, approve, reject; drafts of open periods."""


@bills.command()
@click.argument("tenant_key")
@click.argument("bill_day", type=_DAY)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def preview(tenant_key: str, bill_day: dt.datetime, *, as_json: bool) -> None:
    """Show what TENANT_KEY would post on BILL_DAY, what waits first, then the largest changes."""
    from billing_pipeline.orchestration.bills import preview_bill_day
    from billing_pipeline.orchestration.clock import utc_now
    from billing_pipeline.orchestration.installation import Installation

    installation = Installation.from_environment()
    shown = preview_bill_day(installation, tenant_key, bill_day.date(), utc_now())
    click.echo(json.dumps(_as_dict(shown), indent=2) if as_json else _as_text(shown))


@bills.command()
@click.argument("tenant_key")
@click.argument("bill_day", type=_DAY)
@click.argument("account_key", required=False)
@click.option("--reason", required=True, help="Why; kept for the record.")
@click.option(
    "--by", envvar="USER", required=True, help="Who decides; by default who is logged in."
)
def approve(
    tenant_key: str, bill_day: dt.datetime, account_key: str | None, reason: str, by: str
) -> None:
    """Approve what was previewed: the whole bill day, or one account that is held or waits."""
    subject = _decide(tenant_key, bill_day.date(), account_key, reason, by, is_approved=True)
    click.echo(f"approved {subject}; the next bill run issues it")


@bills.command()
@click.argument("tenant_key")
@click.argument("bill_day", type=_DAY)
@click.argument("account_key", required=False)
@click.option("--reason", required=True, help="Why; kept for the record.")
@click.option(
    "--by", envvar="USER", required=True, help="Who decides; by default who is logged in."
)
def reject(
    tenant_key: str, bill_day: dt.datetime, account_key: str | None, reason: str, by: str
) -> None:
    """Reject what was previewed: it is not posted until its facts change and it is asked anew."""
    subject = _decide(tenant_key, bill_day.date(), account_key, reason, by, is_approved=False)
    click.echo(f"rejected {subject}; mend its facts, then the next bill run asks again")


@bills.command()
@click.argument("tenant_key")
@click.option("--refresh/--as-kept", default=True, help="Compute them now, or show the last ones.")
def drafts(tenant_key: str, *, refresh: bool) -> None:
    """Show the next bill of every account of TENANT_KEY: so far, expected, and alerts raised."""
    from billing_pipeline.books.drafts import read_alerts, read_drafts
    from billing_pipeline.books.scope import tenant_scope
    from billing_pipeline.orchestration.clock import utc_now
    from billing_pipeline.orchestration.installation import Installation
    from billing_pipeline.orchestration.steps.draft import draft_next_bills
    from billing_pipeline.orchestration.steps.facts import read_facts

    installation = Installation.from_environment()
    if refresh:
        facts, now = read_facts(installation, tenant_key), utc_now()
        draft_next_bills(installation, facts, now.astimezone(facts.tenant.zone).date(), now)
    with tenant_scope(installation.engine, tenant_key) as connection:
        known, alerts = read_drafts(connection, tenant_key), read_alerts(connection, tenant_key)
    columns = ("account_key", "next_bill_day", "usage_amount", "amount", "expected", "currency")
    for account, bill_day, usage, amount, expected, currency in known.select(columns).rows():
        click.echo(
            f"{account:<16} {bill_day}  usage {usage:>10.2f}  so far {amount:>10.2f}  "
            f"expected {expected:>10.2f} {currency}"
        )
    for account, bill_day, threshold, usage in alerts.select(
        "account_key", "next_bill_day", "threshold", "usage_amount"
    ).rows():
        click.echo(f"alert: {account} {bill_day} usage {usage:.2f} reached {threshold:.2f}")


@bills.command()
@click.argument("tenant_key")
@click.argument("invoice_number")
def why(tenant_key: str, invoice_number: str) -> None:
    """Show what INVOICE_NUMBER corrects, and the facts that changed since it was charged."""
    from billing_pipeline.books.corrections import read_changed_facts, read_corrections
    from billing_pipeline.books.scope import tenant_scope
    from billing_pipeline.orchestration.installation import Installation

    with tenant_scope(Installation.from_environment().engine, tenant_key) as connection:
        corrections = read_corrections(connection, tenant_key, invoice_number)
        facts = read_changed_facts(connection, tenant_key, invoice_number)
    if corrections.is_empty():
        click.echo(f"{invoice_number} corrects nothing")
    for correction in corrections.rows():
        line, key, invoice, reason, was, is_now, had, has, events, events_now = correction
        said = f"{key} of {invoice or 'no document'} {reason}, {was:.2f} -> {is_now:.2f}"
        quantity = f"quantity {had.normalize():f} -> {has.normalize():f}"
        click.echo(f"line {line}: {said}; {quantity}, events {events} -> {events_now}")
        of_charge = facts.rows_by_key("charge_key").get(key, [])
        for what, fact, before, after in of_charge:
            click.echo(f"    {what} {fact}: {before or 'unknown'} -> {after or 'taken back'}")


def _decide(
    tenant_key: str,
    bill_day: dt.date,
    account_key: str | None,
    reason: str,
    by: str,
    *,
    is_approved: bool,
) -> str:
    from billing_pipeline.orchestration.bills import Decision, decide
    from billing_pipeline.orchestration.clock import utc_now
    from billing_pipeline.orchestration.installation import Installation

    decision = Decision(tenant_key, bill_day, account_key, is_approved, by, reason)
    return decide(Installation.from_environment(), decision, utc_now())


def _as_dict(shown: "Preview") -> dict[str, object]:
    return {
        "tenant": shown.tenant_key,
        "bill_day": shown.bill_day.isoformat(),
        "currency": shown.currency,
        "accounts_due": shown.accounts_due,
        "amount": str(shown.amount),
        "accounts": [
            dict(zip(shown.accounts.columns, map(_plain, row), strict=True))
            for row in shown.accounts.rows()
        ],
        "waiting": [
            dict(zip(shown.waiting.columns, row, strict=True)) for row in shown.waiting.rows()
        ],
    }


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, int | str) else str(value)


def _as_text(shown: "Preview") -> str:
    head = (
        f"{shown.tenant_key} {shown.bill_day}: {shown.accounts_due} accounts due, "
        f"{shown.amount:.2f} {shown.currency} net to post"
    )
    columns = ("account_key", "way", "amount", "last_amount", "change_percent", "since_preview")
    rows = [
        f"{account:<16} {way:<18} {amount:>12.2f} {_money(last)} {_percent(change)} {_money(since)}"
        for account, way, amount, last, change, since in shown.accounts.select(columns)
        .head(_SHOWN)
        .rows()
    ]
    titles = (
        f"{'account':<16} {'':<18} {'amount':>12} {'last bill':>12} {'change':>8} "
        f"{'since preview':>12}"
    )
    more = shown.accounts.height - len(rows)
    rest = [f"... and {more} more"] if more > 0 else []
    asked = [
        f"waits: {account} {message}"
        for account, message in shown.waiting.select("account_key", "message").rows()
    ]
    return "\n".join([head, *([titles] if rows else []), *rows, *rest, *asked])


def _money(amount: object) -> str:
    return f"{'-':>12}" if amount is None else f"{amount:>12.2f}"


def _percent(change: int | None) -> str:
    return f"{'-':>8}" if change is None else f"{change:>+7}%"
