"""`billing db`: the books' schema."""

import click


@click.group()
def db() -> None:
    """The database of the books."""


@db.command()
def migrate() -> None:
    """Bring the schema up to date; what is applied already is left alone."""
    from billing_pipeline.books.migrate import migrate as apply_migrations
    from billing_pipeline.orchestration.installation import Installation

    applied = apply_migrations(Installation.from_environment().engine)
    click.echo("\n".join(f"applied {name}" for name in applied) or "nothing to apply")
