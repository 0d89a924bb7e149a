"""Logins of people: each tries to cross what it was not given."""

import uuid
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from billing_pipeline.books.audit import read_audit_log
from billing_pipeline.books.people import (
    Kind,
    LoginRefused,
    grant_login,
    read_people,
    revoke_login,
)
from billing_pipeline.books.scope import UnknownTenant, installation_scope
from billing_pipeline_tests.books.builders import company

pytestmark = pytest.mark.postgres


@pytest.fixture
def login(engine: sa.Engine) -> Iterator[str]:
    """A name no other test uses; roles belong to the whole server."""
    name = f"person_{uuid.uuid4().hex[:12]}"
    company(engine)
    yield name
    with engine.begin() as connection:
        connection.execute(sa.text(f'drop owned by "{name}"'))
        connection.execute(sa.text(f'drop role if exists "{name}"'))


def logged_in(engine: sa.Engine, login: str) -> sa.Engine:
    return sa.create_engine(engine.url.set(username=login))


def granted(engine: sa.Engine, login: str, kind: Kind, tenant: str | None) -> sa.Engine:
    grant_login(engine, login, kind, tenant, granted_by="chief")
    return logged_in(engine, login)


def tenants_seen(own: sa.Engine, asked_for: str | None = None) -> list[str]:
    with own.begin() as connection:
        if asked_for:
            setting = sa.text("select set_config('billing.tenant', :tenant, true)")
            connection.execute(setting, {"tenant": asked_for})
        select = sa.text('select tenant_key from tenants order by tenant_key collate "C"')
        return list(connection.execute(select).scalars())


@pytest.mark.parametrize("kind", ["finance", "reader"])
def test_a_login_sees_its_tenant_and_those_below_without_asking(
    engine: sa.Engine, login: str, kind: Kind
) -> None:
    own = granted(engine, login, kind, "brand-a")

    assert tenants_seen(own) == ["brand-a", "reseller"]


@pytest.mark.parametrize("kind", ["finance", "reader"])
@pytest.mark.parametrize("asked_for", ["company", "brand-b", "stranger"])
def test_a_login_that_asks_for_another_tenant_sees_no_more_than_its_own(
    engine: sa.Engine, login: str, kind: Kind, asked_for: str
) -> None:
    own = granted(engine, login, kind, "brand-a")

    assert set(tenants_seen(own, asked_for)) <= {"brand-a", "reseller"}
    assert tenants_seen(own, "brand-b") == []


def test_a_login_may_look_at_one_tenant_below_its_own(engine: sa.Engine, login: str) -> None:
    own = granted(engine, login, "reader", "company")

    assert tenants_seen(own, "brand-a") == ["brand-a", "reseller"]


@pytest.mark.parametrize("role", ["billing_operator", "billing_app", "postgres"])
def test_a_login_cannot_become_another_role(engine: sa.Engine, login: str, role: str) -> None:
    own = granted(engine, login, "finance", "brand-a")

    with pytest.raises(DBAPIError, match="permission denied"), own.begin() as connection:
        connection.execute(sa.text(f"set role {role}"))


WRITES = [
    "insert into charges default values",
    "delete from invoices",
    "update tenants set name = 'x'",
    "update people set tenant_key = 'brand-b'",
    "insert into postings default values",
    "create table mine (x int)",
    "update bill_days set state = 'completed'",
    "truncate audit_log",
]


@pytest.mark.parametrize("kind", ["finance", "reader"])
@pytest.mark.parametrize("statement", WRITES)
def test_neither_finance_nor_readers_write_what_the_program_writes(
    engine: sa.Engine, login: str, kind: Kind, statement: str
) -> None:
    own = granted(engine, login, kind, "brand-a")

    with pytest.raises(DBAPIError, match="permission denied"), own.begin() as connection:
        connection.execute(sa.text(statement))


def test_finance_reads_the_reports_and_writes_the_log(engine: sa.Engine, login: str) -> None:
    own = granted(engine, login, "finance", "brand-a")

    with own.begin() as connection:
        connection.execute(sa.text("select * from trial_balance"))
        connection.execute(
            sa.text(
                "insert into audit_log (tenant_key, actor, action, subject, note)"
                " values ('brand-a', 'f', 'looked', 'x', '')"
            )
        )
    with (
        pytest.raises(DBAPIError, match="row-level security"),
        own.begin() as connection,
    ):
        connection.execute(
            sa.text(
                "insert into audit_log (tenant_key, actor, action, subject, note)"
                " values ('brand-b', 'f', 'looked', 'x', '')"
            )
        )


def test_an_operator_sees_all_tenants(engine: sa.Engine, login: str) -> None:
    own = granted(engine, login, "operator", None)

    assert len(tenants_seen(own)) == 5


def test_a_later_grant_replaces_the_earlier_one(engine: sa.Engine, login: str) -> None:
    granted(engine, login, "operator", None)
    own = granted(engine, login, "reader", "brand-b")

    assert tenants_seen(own) == ["brand-b"]
    assert read_people(engine).select("kind", "tenant_key").rows() == [("reader", "brand-b")]


def test_a_revoked_login_reads_nothing_and_both_decisions_are_kept(
    engine: sa.Engine, login: str
) -> None:
    own = granted(engine, login, "reader", "brand-a")

    assert revoke_login(engine, login, revoked_by="chief")
    assert not revoke_login(engine, login, revoked_by="chief")

    with pytest.raises(DBAPIError, match="permission denied"):
        tenants_seen(own)
    with installation_scope(engine) as connection:
        log = read_audit_log(connection).filter(actor="chief")
    assert log.select("actor", "action", "subject").rows() == [
        ("chief", "granted login", f"{login} as reader"),
        ("chief", "revoked login", login),
    ]


REFUSED: list[tuple[str, Kind, str | None, str]] = [
    ("billing_app", "finance", None, "no name for a login"),
    ("pg_monitor", "finance", None, "no name for a login"),
    ('x"; drop table tenants', "finance", None, "no name for a login"),
    ("somebody", "operator", "brand-a", "works for all tenants"),
    ("somebody", "reader", None, "bound to a tenant"),
]


@pytest.mark.parametrize(("name", "kind", "tenant", "words"), REFUSED)
def test_a_grant_that_makes_no_sense_is_refused(
    engine: sa.Engine, name: str, kind: Kind, tenant: str | None, words: str
) -> None:
    with pytest.raises(LoginRefused, match=words):
        grant_login(engine, name, kind, tenant, granted_by="chief")


def test_a_tenant_nobody_applied_cannot_be_granted(engine: sa.Engine) -> None:
    with pytest.raises(UnknownTenant, match="nowhere"):
        grant_login(engine, "somebody", "reader", "nowhere", granted_by="chief")

    assert read_people(engine).is_empty()
