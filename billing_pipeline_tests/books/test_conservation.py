import datetime as dt
from decimal import Decimal

import pytest
import sqlalchemy as sa

from billing_pipeline.assurance.schema import CONSERVATION
from billing_pipeline.books.conservation import (
    gate_problems,
    read_conservation,
    replace_conservation,
)
from billing_pipeline.books.due import record_mediated, record_rated, touch_usage_days
from billing_pipeline.books.scope import installation_scope, tenant_scope
from billing_pipeline_tests.books.builders import Values, company, frame

pytestmark = pytest.mark.postgres

DAY = dt.date(2026, 1, 5)
UNTIL = dt.date(2026, 1, 6)


def row(tenant_key: str = "company", **values: object) -> Values:
    plain: Values = {
        "stage": "mediate",
        "partition_day": DAY,
        "tenant_key": tenant_key,
        "feed_key": "",
        "records_in": 10,
        "accepted": 7,
        "duplicates": 1,
        "suspended": 1,
        "filtered": 1,
        "quantity_in": Decimal("600.5"),
        "quantity_out": Decimal("600.5"),
    }
    return plain | values


def test_a_stage_run_again_replaces_its_rows(engine: sa.Engine) -> None:
    company(engine)
    with installation_scope(engine) as connection:
        replace_conservation(connection, frame(CONSERVATION, row(), row("")))
        replace_conservation(connection, frame(CONSERVATION, row(accepted=8, filtered=0)))
        kept = read_conservation(connection, DAY, UNTIL)
        replace_conservation(connection, CONSERVATION.empty())

        assert kept.equals(frame(CONSERVATION, row(""), row(accepted=8, filtered=0)))
        assert read_conservation(connection, UNTIL, UNTIL).is_empty()
        assert read_conservation(connection, DAY, UNTIL, "company").height == 1


def test_nothing_to_say_means_the_gate_is_open(engine: sa.Engine) -> None:
    company(engine)
    with installation_scope(engine) as connection:
        replace_conservation(connection, frame(CONSERVATION, row()))

        assert gate_problems(connection, "brand-a", DAY, UNTIL).is_empty()


def test_a_brand_is_not_billed_while_its_companys_usage_is_stale(engine: sa.Engine) -> None:
    company(engine)
    with installation_scope(engine) as connection:
        touch_usage_days(connection, "company", [DAY])
        touch_usage_days(connection, "stranger", [DAY])

    with tenant_scope(engine, "brand-a") as connection:
        stale = gate_problems(connection, "brand-a", DAY, UNTIL)
        day_before = gate_problems(connection, "brand-a", dt.date(2026, 1, 1), DAY)

    assert stale.select("problem", "tenant_key", "stage").rows() == [
        ("stale", "company", "mediate")
    ]
    assert day_before.is_empty()


def test_a_brand_is_not_billed_before_its_own_usage_is_rated(engine: sa.Engine) -> None:
    company(engine)
    with installation_scope(engine) as connection:
        touch_usage_days(connection, "company", [DAY])
        record_mediated(connection, "company", DAY, 1, ["brand-a", "brand-b"])
        record_rated(connection, "brand-b", DAY, 1)

        assert gate_problems(connection, "brand-a", DAY, UNTIL).get_column("stage").item() == "rate"
        assert gate_problems(connection, "brand-b", DAY, UNTIL).is_empty()


@pytest.mark.parametrize(
    "broken", [{"accepted": 6}, {"quantity_out": Decimal("600.4")}], ids=["records", "quantity"]
)
def test_records_without_a_trace_close_the_gate(
    engine: sa.Engine, broken: dict[str, object]
) -> None:
    company(engine)
    with installation_scope(engine) as connection:
        replace_conservation(connection, frame(CONSERVATION, row() | broken))
        problems = gate_problems(connection, "brand-a", DAY, UNTIL)

    assert problems.get_column("problem").to_list() == ["not_conserved"]
