"""`billing period`: fiscal months, from open to closed to locked."""

import datetime as dt
from typing import Literal

import click


def month_of(_context: click.Context, _option: click.Parameter, text: str) -> dt.date:
    """First day of a month written as 2026-01."""
    try:
        return dt.datetime.strptime(text, "%Y-%m").replace(tzinfo=dt.UTC).date()
    except ValueError:
        raise click.BadParameter(f"{text!r} is no month; write it as 2026-01") from None


_tenant = click.argument("tenant_key")
_period = click.argument("first_day", metavar="PERIOD", callback=month_of)
_by = click.option("--by", "person", required=True, help="Who decides; kept for the auditor.")


@click.group()
def period() -> None:
    """Close, reopen and lock months of a tenant's books."""


@period.command("list")
@_tenant
def list_periods(tenant_key: str) -> None:
    """List a tenant's months and their states."""
    from billing_pipeline.orchestration.installation import Installation
    from billing_pipeline.orchestration.steps.close_month import read_periods

    known = read_periods(Installation.from_environment(), tenant_key)
    if known.is_empty():
        click.echo("no month was closed yet: every day is open")
    for first_day, state in known.select("first_day", "state").rows():
        click.echo(f"{first_day:%Y-%m}  {state}")


@period.command()
@_tenant
@_period
@_by
def close(tenant_key: str, first_day: dt.date, person: str) -> None:
    """Book a month's end and close it: releases, accruals and their reversals, revaluation."""
    from billing_pipeline.orchestration.installation import Installation
    from billing_pipeline.orchestration.steps.close_month import close_month
    from billing_pipeline.orchestration.steps.facts import read_facts

    installation = Installation.from_environment()
    closed = close_month(
        installation, read_facts(installation, tenant_key), first_day, closed_by=person
    )
    for rule, entries in closed.booked.items():
        click.echo(f"{entries:>4}  {rule}")
    click.echo(f"{first_day:%Y-%m} of {tenant_key} is closed")


@period.command()
@_tenant
@_period
@_by
def lock(tenant_key: str, first_day: dt.date, person: str) -> None:
    """Lock a closed month for good."""
    _change(tenant_key, first_day, "locked", person)


@period.command()
@_tenant
@_period
@_by
def reopen(tenant_key: str, first_day: dt.date, person: str) -> None:
    """Open a closed month again; closing it again books the difference."""
    _change(tenant_key, first_day, "open", person)


def _change(
    tenant_key: str, first_day: dt.date, state: Literal["open", "locked"], person: str
) -> None:
    from billing_pipeline.orchestration.installation import Installation
    from billing_pipeline.orchestration.steps.close_month import change_period

    change_period(Installation.from_environment(), tenant_key, first_day, state, changed_by=person)
    click.echo(f"{first_day:%Y-%m} of {tenant_key} is {state}")
