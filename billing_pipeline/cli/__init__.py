"""The `billing` command: thin; every command calls the same steps as the assets.

Commands import what they need when they run, so that `billing --help` answers at once.
"""

import sys

import click

from billing_pipeline.cli import (
    bench,
    bills,
    catalog,
    database,
    deck,
    demo,
    dev,
    extract,
    feed,
    files,
    findings,
    handoff,
    identifiers,
    invoice,
    payment,
    period,
    price,
    provisioning,
    report,
    reprocess,
    retention,
    simulate,
    suspense,
    swap,
    template,
    trace,
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def billing() -> None:
    """Usage files in, balanced books out."""


billing.add_command(bench.bench)
billing.add_command(bills.bills)
billing.add_command(catalog.catalog)
billing.add_command(database.db)
billing.add_command(deck.deck)
billing.add_command(demo.demo)
billing.add_command(dev.dev)
billing.add_command(extract.extract)
billing.add_command(feed.feed)
billing.add_command(provisioning.provisioning)
billing.add_command(files.files)
billing.add_command(findings.findings)
billing.add_command(handoff.handoff)
billing.add_command(payment.payment)
billing.add_command(period.period)
billing.add_command(report.report)
billing.add_command(identifiers.identifiers)
billing.add_command(price.price)
billing.add_command(reprocess.reprocess)
billing.add_command(invoice.invoice)
billing.add_command(retention.retention)
billing.add_command(simulate.simulate)
billing.add_command(suspense.suspense)
billing.add_command(swap.swap)
billing.add_command(template.template)
billing.add_command(trace.trace)


def main() -> None:
    """Run the command; mistakes people can mend are one clear message, not a traceback."""
    try:
        billing.main(standalone_mode=False)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except Exception as error:
        if not _is_for_people(error):
            raise
        click.secho(str(error), fg="red", err=True)
        sys.exit(1)


def _is_for_people(error: Exception) -> bool:
    """Whether the message says what is wrong and what to do, by the kind of exception."""
    return type(error).__module__.startswith("billing_pipeline.") or isinstance(
        error, FileNotFoundError | LookupError
    )
