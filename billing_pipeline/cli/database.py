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


@db.command()
@click.argument("login")
@click.option("--as", "kind", type=click.Choice(["operator", "finance", "reader"]), required=True)
@click.option("--tenant", help="See this tenant and those below it; operators see all.")
@click.option("--by", "granted_by", required=True, help="Who decides this; kept in the log.")
def grant(login: str, kind: str, tenant: str | None, granted_by: str) -> None:
    """Let a person or tool log in to the books with LOGIN.

    The login is created without a password if there is none; set one with Postgres' own
    `alter role`, or use the authentication of your server.
    """
    from typing import cast

    from billing_pipeline.books.people import Kind, grant_login
    from billing_pipeline.orchestration.installation import Installation

    engine = Installation.from_environment().engine
    grant_login(engine, login, cast("Kind", kind), tenant, granted_by=granted_by)
    click.echo(f"{login} is {kind} of {tenant or 'all tenants'}")


@db.command()
@click.argument("login")
@click.option("--by", "revoked_by", required=True, help="Who decides this; kept in the log.")
def revoke(login: str, revoked_by: str) -> None:
    """Take every right from LOGIN."""
    from billing_pipeline.books.people import revoke_login
    from billing_pipeline.orchestration.installation import Installation

    had = revoke_login(Installation.from_environment().engine, login, revoked_by=revoked_by)
    click.echo(f"{login} has no rights any more" if had else f"{login} had no rights")


@db.command()
def people() -> None:
    """List the logins and what each may see and do."""
    import polars as pl

    from billing_pipeline.books.people import read_people
    from billing_pipeline.orchestration.installation import Installation

    with pl.Config(tbl_rows=-1, tbl_hide_column_data_types=True, tbl_hide_dataframe_shape=True):
        click.echo(str(read_people(Installation.from_environment().engine)))
