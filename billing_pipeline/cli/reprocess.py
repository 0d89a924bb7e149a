"""`billing reprocess`: what a corrected deck, feed or subscription changes in a closed span."""

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from billing_pipeline.orchestration.installation import Installation
    from billing_pipeline.orchestration.reprocess import Preview

_DATE = click.DateTime(["%Y-%m-%d"])
_LISTED = 20


@click.command()
@click.option("--tenant", "tenant_key", required=True)
@click.option("--from", "first", type=_DATE, required=True, help="First usage day (UTC).")
@click.option("--until", "last", type=_DATE, required=True, help="Last usage day, included.")
@click.option("--preview", "is_preview", is_flag=True, help="Only show what would change.")
@click.option("--out", type=click.Path(path_type=Path), help="Also write the accounts as CSV.")
@click.option("--asked-by", help="Who asks for it.")
@click.option("--approved-by", help="Who approves it; somebody else.")
@click.option("--reason", help="Why; kept with the approval.")
def reprocess(
    tenant_key: str,
    first: dt.datetime,
    last: dt.datetime,
    is_preview: bool,  # noqa: FBT001 - click passes a flag
    out: Path | None,
    **approval: str | None,
) -> None:
    """Rate a span of usage days again and correct what was billed from it.

    Issued documents stay as they are; the difference is on documents of the tenant's next bill
    day. With --preview nothing is changed.
    """
    from billing_pipeline.orchestration.installation import Installation
    from billing_pipeline.orchestration.reprocess import preview

    installation = Installation.from_environment()
    shown = preview(installation, tenant_key, first.date(), last.date())
    _show(shown, out)
    if is_preview:
        return
    asked_by, approved_by, words = (
        approval["asked_by"],
        approval["approved_by"],
        approval["reason"],
    )
    if not (asked_by and approved_by and words):
        raise click.UsageError("say --asked-by, --approved-by and --reason, or --preview")
    _carry_out(installation, shown, asked_by, approved_by, words)


def _show(shown: "Preview", out: Path | None) -> None:
    click.echo(shown.words)
    for row in shown.changes.head(_LISTED).rows():
        account, charges, before, after, difference, documents = row
        click.echo(
            f"  {account:<16} {before:>14,.2f} -> {after:>14,.2f}  {difference:>+12,.2f}"
            f"  {charges} charges  {documents}"
        )
    if shown.changes.height > _LISTED:
        click.echo(f"  and {shown.changes.height - _LISTED} more; --out FILE writes all of them")
    if out is not None:
        shown.changes.write_csv(out)
        click.echo(f"written to {out}")


def _carry_out(
    installation: "Installation", shown: "Preview", asked_by: str, approved_by: str, words: str
) -> None:
    from billing_pipeline.definitions import defs
    from billing_pipeline.orchestration.clock import utc_now
    from billing_pipeline.orchestration.flow import Flow
    from billing_pipeline.orchestration.instance import open_instance
    from billing_pipeline.orchestration.reprocess import Reason, approve_changes, next_bill_day
    from billing_pipeline.orchestration.steps.facts import read_tenant

    now = utc_now()
    approved = approve_changes(installation, shown, Reason(asked_by, approved_by, words), now)
    with open_instance(installation) as instance:
        flow = Flow(installation, instance, defs)
        flow.rate_span(shown.tenant_key, shown.first, shown.last)
        days = flow.bill_tenant(shown.tenant_key, utc_now())
    click.echo(f"{approved} accounts approved; {shown.first} to {shown.last} rated in one run")
    if days:
        click.echo(f"{days} bill days were due already and are billed")
    corrected = next_bill_day(read_tenant(installation, shown.tenant_key), now)
    click.echo(f"the approved corrections are on documents of bill day {corrected}")
