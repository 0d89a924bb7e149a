import datetime as dt
import uuid
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError

from billing_pipeline.books.catalog import tenant_keys
from billing_pipeline.books.scope import UnknownTenant, installation_scope, tenant_scope
from billing_pipeline.books.tables import METADATA, bill_days, tenants
from billing_pipeline_tests.books.builders import company

pytestmark = pytest.mark.postgres


def test_an_unknown_tenant_is_refused(engine: sa.Engine) -> None:
    with pytest.raises(UnknownTenant, match="nobody"), tenant_scope(engine, "nobody"):
        pass


def test_the_program_is_never_the_owner(engine: sa.Engine) -> None:
    with installation_scope(engine) as connection:
        role = connection.execute(sa.text("select current_user")).scalar_one()

    assert role == "billing_operator"


@pytest.mark.parametrize(
    ("tenant_key", "visible"),
    [
        ("company", ["brand-a", "brand-b", "company", "reseller"]),
        ("brand-a", ["brand-a", "reseller"]),
        ("brand-b", ["brand-b"]),
        ("reseller", ["reseller"]),
        ("stranger", ["stranger"]),
    ],
)
def test_a_tenant_sees_itself_and_those_below_it(
    engine: sa.Engine, tenant_key: str, visible: list[str]
) -> None:
    company(engine)

    with tenant_scope(engine, tenant_key) as connection:
        assert tenant_keys(connection) == visible


def test_the_installation_sees_all_tenants(engine: sa.Engine) -> None:
    company(engine)

    with installation_scope(engine) as connection:
        assert len(tenant_keys(connection)) == 5


def test_no_tenant_set_means_no_rows(engine: sa.Engine) -> None:
    company(engine)

    with engine.begin() as connection:
        connection.execute(sa.text("set local role billing_app"))
        assert tenant_keys(connection) == []


def test_categories_of_products_are_told_to_those_who_see_the_tenant(engine: sa.Engine) -> None:
    company(engine)
    planted = """
        update tenants set document = '{"inherits_catalog": true}' where tenant_key = 'brand-a';
        insert into catalog_entries
            (tenant_key, kind, entry_key, document, content_hash, revision, known_from)
        select owner, kind, entry_key, document::jsonb, '', 1, '2026-01-01'
        from (values ('company'), ('brand-b'), ('stranger')) as owners (owner),
        (values
            ('product', 'planted', '{"category": "secret"}'),
            ('product_category', 'secret', '{"name": "Secret"}')
        ) as entries (kind, entry_key, document)
    """
    with engine.begin() as connection:
        connection.execute(sa.text(planted))

    with tenant_scope(engine, "brand-a") as connection:
        assert _told_categories(connection) == ["brand-a"]
    with tenant_scope(engine, "company") as connection:
        assert _told_categories(connection) == ["brand-a", "brand-b", "company"]
    with installation_scope(engine) as connection:
        assert _told_categories(connection) == ["brand-a", "brand-b", "company", "stranger"]


def _told_categories(connection: sa.Connection) -> list[str]:
    """Tenants of whose product the category is told, of all that there are."""
    asked = """
        select owner from unnest(array['brand-a', 'brand-b', 'company', 'stranger']) as owner,
        product_category(owner, 'planted') where category_name = 'Secret' order by owner
    """
    return list(connection.execute(sa.text(asked)).scalars())


def test_the_scope_ends_with_the_transaction(engine: sa.Engine) -> None:
    company(engine)
    with tenant_scope(engine, "brand-a") as connection:
        backend = connection.execute(sa.text("select pg_backend_pid()")).scalar_one()

    with engine.connect() as connection:
        left = connection.execute(
            sa.text(
                "select pg_backend_pid(), current_setting('billing.tenant', true), current_user"
            )
        ).one()

    assert tuple(left) == (backend, "", "postgres")


def test_a_tenant_cannot_write_rows_of_another(engine: sa.Engine) -> None:
    company(engine)
    row = {"tenant_key": "brand-b", "bill_day": dt.date(2026, 1, 1), "due_at": sa.func.now()}

    with (
        pytest.raises(DBAPIError, match="row-level security"),
        tenant_scope(engine, "brand-a") as connection,
    ):
        connection.execute(sa.insert(bill_days).values(row))


def test_a_tenant_cannot_touch_rows_of_another(engine: sa.Engine) -> None:
    company(engine)

    with tenant_scope(engine, "brand-a") as connection:
        hidden = sa.update(tenants).where(tenants.c.tenant_key == "brand-b").values(name="x")
        assert connection.execute(hidden).rowcount == 0


def test_every_table_hides_the_rows_of_others(engine: sa.Engine) -> None:
    """Each table gets a row for a stranger, checks aside; a brand sees none of them."""
    company(engine)
    with engine.begin() as owner:
        owner.execute(sa.text("set local session_replication_role = replica"))  # no triggers
        for table in METADATA.sorted_tables:
            _plant_row(owner, table)

    for table in METADATA.sorted_tables:
        count = (
            sa.select(sa.func.count()).select_from(table).where(table.c.tenant_key == "stranger")
        )
        with installation_scope(engine) as connection:
            assert connection.execute(count).scalar_one() >= 1, table.name
        with tenant_scope(engine, "brand-a") as connection:
            assert connection.execute(count).scalar_one() == 0, table.name


def _plant_row(owner: sa.Connection, table: sa.Table) -> None:
    if table is tenants:
        return
    for check in sa.inspect(owner).get_check_constraints(table.name):
        owner.execute(sa.text(f'alter table {table.name} drop constraint "{check["name"]}"'))
    plain = {
        "TEXT": "x",
        "JSONB": {},
        "DATE": dt.date(2026, 1, 1),
        "TIMESTAMP WITH TIME ZONE": dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
    }
    values = {
        column.name: plain.get(str(column.type.compile(owner.dialect)), 1)
        for column in table.columns
        if not column.nullable and column.computed is None and column.identity is None
    }
    insert = postgresql.insert(table).values(values | {"tenant_key": "stranger"})
    owner.execute(insert.on_conflict_do_nothing())


@pytest.fixture
def clerk(engine: sa.Engine) -> Iterator[sa.Engine]:
    """The books, opened by a login that has the program's roles and no more."""
    name = f"clerk_{uuid.uuid4().hex[:12]}"
    with engine.begin() as owner:
        owner.execute(sa.text(f"create role {name} login in role billing_app, billing_operator"))
    clerk = sa.create_engine(engine.url.set(username=name))
    yield clerk
    clerk.dispose()
    with engine.begin() as owner:
        owner.execute(sa.text(f"drop role {name}"))


@pytest.mark.parametrize(
    "statement",
    [
        "delete from accounts",
        "update accounts set name = 'x'",
        "truncate accounts",
        "drop table accounts",
        "alter table accounts disable row level security",
        "create table mine (id int)",
        "insert into schema_migrations values ('9999_mine', '')",
        "set role postgres; reset role; create table mine (id int)",
    ],
)
def test_the_program_may_not_do_what_only_the_owner_may(clerk: sa.Engine, statement: str) -> None:
    with (
        pytest.raises(DBAPIError, match=r"permission denied|must be owner"),
        clerk.begin() as connection,
    ):
        connection.execute(sa.text(statement))


def test_the_reader_reads_its_tenants_and_writes_nothing(engine: sa.Engine) -> None:
    company(engine)

    with engine.connect() as connection:
        connection.execute(sa.text("set local role billing_reader"))
        connection.execute(sa.text("select set_config('billing.tenant', 'brand-a', true)"))
        assert tenant_keys(connection) == ["brand-a", "reseller"]
        connection.execute(sa.text("select * from trial_balance"))
        with pytest.raises(DBAPIError, match="permission denied"):
            connection.execute(sa.text("update tenants set name = 'x'"))
