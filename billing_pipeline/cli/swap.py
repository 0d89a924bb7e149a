"""`billing swap`: which plan would have been cheaper, and moving to it."""

import datetime as dt
import json
from pathlib import Path

import click

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def swap() -> None:
    """Compare plans for the usage there was, and move subscriptions to another plan."""


@swap.command()
@click.argument("tenant_key")
@click.argument("account_key", required=False)
@click.option("--all", "of_all", is_flag=True, help="All accounts of the tenant.")
@click.option("--periods", default=3, show_default=True, help="Months to compare over.")
@click.option("--until", type=_DAY, default=None, help="Day after the last; by default today.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def compare(
    tenant_key: str,
    account_key: str | None,
    periods: int,
    until: dt.datetime | None,
    *,
    of_all: bool,
    as_json: bool,
) -> None:
    """Show the cheapest plan of every subscription of ACCOUNT_KEY, and what it saves."""
    from billing_pipeline.orchestration.clock import utc_now
    from billing_pipeline.orchestration.installation import Installation
    from billing_pipeline.orchestration.steps.facts import read_facts
    from billing_pipeline.orchestration.steps.swap import recommend_plans

    if of_all == (account_key is not None):
        raise click.UsageError("name one account, or give --all")
    installation = Installation.from_environment()
    facts = read_facts(installation, tenant_key)
    keys = facts.accounts["account_key"]
    if account_key is not None:
        keys = keys.filter(keys == account_key)
        if keys.is_empty():
            raise click.UsageError(f"{tenant_key} has no account {account_key!r}")
    now = utc_now()
    today = now.astimezone(facts.tenant.zone).date() if until is None else until.date()
    found = recommend_plans(installation, facts, keys, today, periods, now)
    for row in found.rows():
        compared = dict(zip(found.columns, row, strict=True))
        click.echo(json.dumps(compared, default=str) if as_json else _as_text(compared))


@swap.command()
@click.argument("tenant_key")
@click.argument("subscription_key")
@click.argument("plan_key")
@click.option(
    "--on", "on_day", type=_DAY, default=None, help="First day; by default the open period's."
)
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=None,
    help="The tenant's folder: the change is written there, too.",
)
@click.option("--by", envvar="USER", required=True, help="Who asked for it.")
def apply(
    tenant_key: str,
    subscription_key: str,
    plan_key: str,
    on_day: dt.datetime | None,
    folder: Path | None,
    by: str,
) -> None:
    """Move SUBSCRIPTION_KEY to PLAN_KEY and rate its open period on the new plan."""
    from billing_pipeline.orchestration.clock import utc_now
    from billing_pipeline.orchestration.installation import Installation
    from billing_pipeline.orchestration.steps.facts import read_facts
    from billing_pipeline.orchestration.swap import Swap, apply_swap, open_period_starts

    installation, now = Installation.from_environment(), utc_now()
    facts = read_facts(installation, tenant_key)
    today = now.astimezone(facts.tenant.zone).date()
    first = open_period_starts(facts, subscription_key, today) if on_day is None else on_day.date()
    chosen = Swap(subscription_key, plan_key, first)
    apply_swap(installation, tenant_key, chosen, now=now, by=by, folder=folder)
    click.echo(f"{subscription_key} is on {plan_key} from {first}; its usage is rated anew")
    if folder is None:
        click.echo(
            "keep it when you apply the folder again: in subscription_changes.csv, "
            f"effective_on {first}, plan_key {plan_key}"
        )


def _as_text(compared: dict[str, object]) -> str:
    return (
        f"{compared['account_key']:<16} {compared['subscription_key']:<16} "
        f"{compared['current_plan']} {compared['current_amount']:.2f} -> "
        f"{compared['recommended_plan']} {compared['recommended_amount']:.2f}, "
        f"saves {compared['saving']:.2f} {compared['currency']}"
    )
