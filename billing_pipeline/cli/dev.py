"""`billing dev`: the Dagster UI and daemon on this installation."""

import click


@click.command()
@click.option("--port", default=3000, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True)
def dev(port: int, host: str) -> None:
    """Start the Dagster UI, its daemon, sensors and schedules; stop with Ctrl-C."""
    import os
    import sys
    from pathlib import Path

    from billing_pipeline.books.migrate import migrate
    from billing_pipeline.orchestration.installation import Installation
    from billing_pipeline.orchestration.instance import fail_abandoned_runs, open_instance

    installation = Installation.from_environment()
    migrate(installation.engine)
    with open_instance(installation) as instance:
        if failed := fail_abandoned_runs(instance):
            click.echo(f"{failed} runs of an earlier, crashed start are marked as failed")
    installation.engine.dispose()
    dagster = str(Path(sys.executable).with_name("dagster"))
    os.environ["BILLING_HOME"] = str(installation.home)
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "200")
    arguments = ["dev", "-m", "billing_pipeline.definitions", "-p", str(port), "-h", host]
    os.execv(dagster, [dagster, *arguments])  # noqa: S606 - our own interpreter's program
