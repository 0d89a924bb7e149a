"""Logins of people and tools: what each may see and do, bound to the login's name."""

import re
from typing import Literal

import polars as pl
import sqlalchemy as sa

from billing_pipeline.books.audit import log_decision
from billing_pipeline.books.copy import copy_out
from billing_pipeline.books.people_schema import PEOPLE
from billing_pipeline.books.scope import UnknownTenant
from billing_pipeline.books.tables import tenants

Kind = Literal["operator", "finance", "reader"]

people = sa.Table(
    "people",
    sa.MetaData(),  # of the installation: it has no tenant's rows
    sa.Column("role_name", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("tenant_key", sa.Text),
    sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("granted_by", sa.Text, nullable=False),
)

_LOGIN = re.compile(r"[a-z][a-z0-9_]{0,62}")
_RESERVED = ("billing_", "pg_")
_ROLES: dict[Kind, str] = {
    "operator": "billing_operator, billing_app",  # runs the program, which takes these roles
    "finance": "billing_finance",
    "reader": "billing_reader",
}


class LoginRefused(Exception):
    """A login cannot be granted as asked; nothing was changed."""


def grant_login(
    engine: sa.Engine, login: str, kind: Kind, tenant_key: str | None, *, granted_by: str
) -> None:
    """Let a login in: it is created without a password if it does not exist.

    `operator` sees and runs everything; `finance` reads its tenant and those below it, closes
    periods and decides approvals and findings; `reader` only reads them. An earlier grant of the
    login is replaced. The user of `engine` must be allowed to create roles.
    Raises: LoginRefused, UnknownTenant.
    """
    _refuse_bad_grant(login, kind, tenant_key)
    with engine.begin() as connection:
        if tenant_key is not None and not _is_tenant(connection, tenant_key):
            raise UnknownTenant(f"no tenant {tenant_key!r} has been applied")
        _revoke_roles(connection, login)
        if not _exists(connection, login):
            connection.execute(sa.text(f'create role "{login}" login'))
        connection.execute(sa.text(f'grant {_ROLES[kind]} to "{login}"'))
        connection.execute(sa.delete(people).where(people.c.role_name == login))
        connection.execute(
            sa.insert(people).values(
                role_name=login,
                kind=kind,
                tenant_key=tenant_key,
                granted_at=sa.func.clock_timestamp(),
                granted_by=granted_by,
            )
        )
        _log(connection, tenant_key, granted_by, "granted login", f"{login} as {kind}")


def revoke_login(engine: sa.Engine, login: str, *, revoked_by: str) -> bool:
    """Take every right from a login; False if it had none. The login itself stays."""
    with engine.begin() as connection:
        removed = connection.execute(
            sa.delete(people).where(people.c.role_name == login).returning(people.c.tenant_key)
        ).one_or_none()
        if removed is None:
            return False
        _revoke_roles(connection, login)
        _log(connection, removed.tenant_key, revoked_by, "revoked login", login)
    return True


def read_people(engine: sa.Engine) -> pl.DataFrame:
    """Who may see and do what: PEOPLE, by login."""
    with engine.begin() as connection:
        select = sa.select(*(people.c[name] for name in PEOPLE.names))
        return copy_out(connection, select, PEOPLE).sort("role_name")


def _refuse_bad_grant(login: str, kind: Kind, tenant_key: str | None) -> None:
    if not _LOGIN.fullmatch(login) or login.startswith(_RESERVED):
        raise LoginRefused(
            f"{login!r} is no name for a login: small letters, digits and _, not billing_ or pg_"
        )
    if kind == "operator" and tenant_key is not None:
        raise LoginRefused("an operator works for all tenants; leave the tenant out")
    if kind == "reader" and tenant_key is None:
        raise LoginRefused("a reader is bound to a tenant; name it")


def _is_tenant(connection: sa.Connection, tenant_key: str) -> bool:
    connection.execute(sa.text("set local role billing_operator"))
    known = sa.select(sa.exists().where(tenants.c.tenant_key == tenant_key))
    found = bool(connection.execute(known).scalar_one())
    connection.execute(sa.text("reset role"))
    return found


def _exists(connection: sa.Connection, login: str) -> bool:
    asked = sa.text("select exists (select from pg_roles where rolname = :login)")
    return bool(connection.execute(asked, {"login": login}).scalar_one())


def _revoke_roles(connection: sa.Connection, login: str) -> None:
    if _exists(connection, login):
        roles = ", ".join(_ROLES.values())
        connection.execute(sa.text(f'revoke {roles} from "{login}"'))


def _log(
    connection: sa.Connection, tenant_key: str | None, actor: str, action: str, subject: str
) -> None:
    connection.execute(sa.text("set local role billing_operator"))
    log_decision(connection, tenant_key or "", actor=actor, action=action, subject=subject)
