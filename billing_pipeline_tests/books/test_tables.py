import pytest
import sqlalchemy as sa

from billing_pipeline.books import billing_tables, handoff_tables, payment_tables, tables

# All modules fill one collection.
assert billing_tables.bill_previews.metadata is tables.METADATA
assert handoff_tables.handoff_batches.metadata is tables.METADATA
assert payment_tables.payments.metadata is tables.METADATA
METADATA = tables.METADATA

# The transaction that wrote a row is the triggers' own business.
TRIGGERS_OWN = {"issued_in", "booked_in"}
NOT_TENANTS = {"schema_migrations", "people"}  # of the installation as a whole


def declared_columns(engine: sa.Engine) -> dict[tuple[str, str], tuple[str, bool]]:
    return {
        (table.name, column.name): (
            str(column.type.compile(engine.dialect)),
            bool(column.nullable),
        )
        for table in METADATA.tables.values()
        for column in table.columns
    }


def migrated_columns(engine: sa.Engine) -> dict[tuple[str, str], tuple[str, bool]]:
    inspector = sa.inspect(engine)
    return {
        (table, column["name"]): (column["type"].compile(engine.dialect), column["nullable"])
        for (_, table), columns in inspector.get_multi_columns().items()
        for column in columns
        if table not in NOT_TENANTS and column["name"] not in TRIGGERS_OWN
    }


@pytest.mark.postgres
@pytest.mark.filterwarnings("ignore:Did not recognize type 'xid8'")
def test_the_tables_are_those_the_migrations_made(engine: sa.Engine) -> None:
    declared, migrated = declared_columns(engine), migrated_columns(engine)

    assert set(declared) == set(migrated)
    assert {name: declared[name] for name in declared if declared[name] != migrated[name]} == {}


@pytest.mark.postgres
def test_the_keys_are_those_the_migrations_made(engine: sa.Engine) -> None:
    migrated = {
        table: key["constrained_columns"]
        for (_, table), key in sa.inspect(engine).get_multi_pk_constraint().items()
        if table not in NOT_TENANTS
    }

    assert migrated == {
        table.name: [column.name for column in table.primary_key]
        for table in METADATA.tables.values()
    }


@pytest.mark.postgres
def test_row_level_security_is_forced_on_every_table(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        unprotected = connection.execute(
            sa.text(
                "select relname from pg_class where relkind = 'r' "
                "and relnamespace = 'public'::regnamespace "
                "and not (relrowsecurity and relforcerowsecurity)"
            )
        ).scalars()

        assert set(unprotected) == NOT_TENANTS


@pytest.mark.parametrize("table", sorted(METADATA.tables))
def test_the_tenant_comes_first_in_every_key(table: str) -> None:
    assert next(iter(METADATA.tables[table].primary_key)).name == "tenant_key"
