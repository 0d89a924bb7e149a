import pytest
import sqlalchemy as sa

from billing_pipeline.books.scope import UnknownTenant, installation_scope, tenant_scope

pytestmark = pytest.mark.postgres


def test_an_unknown_tenant_is_refused(engine: sa.Engine) -> None:
    with pytest.raises(UnknownTenant, match="nobody"), tenant_scope(engine, "nobody"):
        pass


def test_the_program_is_never_the_owner(engine: sa.Engine) -> None:
    with installation_scope(engine) as connection:
        role = connection.execute(sa.text("select current_user")).scalar_one()

    assert role == "billing_operator"
