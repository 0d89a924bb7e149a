"""`billing findings`: what the controls found, since when, and who looks after it."""

import click

_STATES = ["open", "accepted", "resolved"]


@click.group()
def findings() -> None:
    """What the controls found wrong."""


@findings.command("list")
@click.option("--tenant", "tenant_key", default=None, help="Only this tenant's.")
@click.option("--state", type=click.Choice([*_STATES, "all"]), default="open", show_default=True)
def list_findings(tenant_key: str | None, state: str) -> None:
    """List findings: severity, tenant, control, subject, since when, who is asked, message."""
    from billing_pipeline.orchestration.assurance import read_all_findings
    from billing_pipeline.orchestration.installation import Installation

    found = read_all_findings(Installation.from_environment(), tenant_key, state)
    if found.is_empty():
        click.echo("no findings" if state == "all" else f"no findings are {state}")
    for row in found.rows(named=True):
        asked = row["assigned_to"] or row["owner"]
        assignee = f"  [{asked}]" if asked else ""
        click.echo(
            f"{row['severity']:<5} {row['tenant_key']} {row['control']} {row['subject']}"
            f"  since {row['first_seen_at']:%Y-%m-%d}, seen {row['sightings']}x{assignee}\n"
            f"      {row['message']}"
        )


@findings.command()
@click.argument("tenant_key")
@click.argument("control")
@click.argument("subject")
def show(tenant_key: str, control: str, subject: str) -> None:
    """Show everything known about one finding."""
    from billing_pipeline.orchestration.assurance import read_finding
    from billing_pipeline.orchestration.installation import Installation

    for name, value in read_finding(
        Installation.from_environment(), tenant_key, control, subject
    ).items():
        click.echo(f"{name:<16} {value}")


@findings.command()
@click.argument("tenant_key")
@click.argument("control")
@click.argument("subject")
@click.argument("person")
def assign(tenant_key: str, control: str, subject: str, person: str) -> None:
    """Say who looks after a finding."""
    from billing_pipeline.orchestration.assurance import assign as assign_to
    from billing_pipeline.orchestration.installation import Installation

    assign_to(Installation.from_environment(), tenant_key, control, subject, person=person)
    click.echo(f"{person} looks after {control} {subject}")


@findings.command()
@click.argument("tenant_key")
@click.argument("control")
@click.argument("subject")
@click.argument("words")
def note(tenant_key: str, control: str, subject: str, words: str) -> None:
    """Write down what is known about a finding."""
    from billing_pipeline.orchestration.assurance import assign as note_on
    from billing_pipeline.orchestration.installation import Installation

    note_on(Installation.from_environment(), tenant_key, control, subject, words=words)
    click.echo(f"noted on {control} {subject}")


@findings.command()
@click.argument("tenant_key")
@click.argument("control")
@click.argument("subject")
@click.option("--by", "person", required=True, help="Who decides.")
@click.option("--because", "reason", required=True, help="Why it may stand; kept for the auditor.")
def accept(tenant_key: str, control: str, subject: str, person: str, reason: str) -> None:
    """Let a finding stand: it stops nobody any more while its message is the same."""
    from billing_pipeline.orchestration.assurance import accept as accept_it
    from billing_pipeline.orchestration.installation import Installation

    accept_it(
        Installation.from_environment(), tenant_key, control, subject, person=person, reason=reason
    )
    click.echo(f"{control} {subject} stands, said {person}")


@findings.command()
@click.argument("tenant_key")
def run(tenant_key: str) -> None:
    """Run every control over a tenant now and say what they found."""
    from billing_pipeline.orchestration.assurance import run_controls
    from billing_pipeline.orchestration.installation import Installation

    said = run_controls(Installation.from_environment(), tenant_key)
    click.echo(
        f"{len(said.controls)} controls and {len(said.checks)} checks of the books: "
        f"{said.of_severity('block').height} block, {said.of_severity('warn').height} warn"
    )
