import datetime as dt

import polars as pl
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError

from billing_pipeline.books.approvals import (
    NotPending,
    approve,
    read_approvals,
    refuse,
    request_approval,
)
from billing_pipeline.books.audit import log_decision, read_audit_log
from billing_pipeline.books.scope import tenant_scope
from billing_pipeline.books.suspense import (
    NotInSuspense,
    read_suspense_states,
    write_off,
)
from billing_pipeline.mediation.schema import SUSPENSE
from billing_pipeline.orchestration.steps.suspense_lives import keep_partition_lives
from billing_pipeline_tests.books.builders import NOON, apply, frame, tenant_rows

pytestmark = pytest.mark.postgres

DAY = dt.date(2026, 1, 5)
LATER = NOON + dt.timedelta(days=1)


@pytest.fixture
def books(engine: sa.Engine) -> sa.Engine:
    apply(engine, tenant_rows())
    return engine


def suspended(*record_numbers: int, reason: str = "unknown_identifier") -> pl.DataFrame:
    return frame(
        SUSPENSE,
        *(
            {
                "feed_key": "cdr",
                "file_key": "k",
                "record_number": number,
                "stage": "mediate",
                "reason": reason,
            }
            for number in record_numbers
        ),
    )


def run_stage(
    engine: sa.Engine,
    rows: pl.DataFrame,
    at: dt.datetime = NOON,
    went_on: pl.DataFrame | None = None,
) -> None:
    with tenant_scope(engine, "acme") as connection:
        keep_partition_lives(
            connection,
            "acme",
            "mediate",
            DAY,
            suspended=rows,
            went_on=(suspended() if went_on is None else went_on).lazy(),
            seen_at=at,
        )


def lives(engine: sa.Engine) -> list[tuple[object, ...]]:
    with tenant_scope(engine, "acme") as connection:
        kept = read_suspense_states(connection)
    return kept.select("record_number", "state", "attempts").rows()


def give_up(engine: sa.Engine, *record_numbers: int) -> None:
    with tenant_scope(engine, "acme") as connection:
        write_off(
            connection,
            "acme",
            suspended(*record_numbers),
            written_off_by="ann",
            written_off_at=LATER,
            note="test numbers",
        )


def ask(engine: sa.Engine) -> str:
    with tenant_scope(engine, "acme") as connection:
        return request_approval(
            connection,
            "acme",
            kind="held_account",
            subject="A1/2026-02-01",
            message="ten times last month",
            requested_by="bill run",
            requested_at=NOON,
        )


def allow(engine: sa.Engine, approved_by: str) -> None:
    with tenant_scope(engine, "acme") as connection:
        approve(
            connection,
            "acme",
            kind="held_account",
            subject="A1/2026-02-01",
            approved_by=approved_by,
            approved_at=LATER,
            note="a fair",
        )


def test_a_record_still_in_suspense_keeps_its_age(books: sa.Engine) -> None:
    run_stage(books, suspended(1, 2))
    run_stage(books, suspended(2, reason="no_price"), LATER, went_on=suspended(1))

    assert lives(books) == [(1, "recycled", 1), (2, "open", 2)]
    with tenant_scope(books, "acme") as connection:
        still = read_suspense_states(connection, "open").row(0, named=True)
    assert (still["first_seen_at"], still["last_seen_at"]) == (NOON, LATER)
    assert still["reason"] == "no_price"


def test_a_recycled_record_may_fall_back(books: sa.Engine) -> None:
    run_stage(books, suspended(1))
    run_stage(books, suspended(), went_on=suspended(1))
    run_stage(books, suspended(1), LATER)

    assert lives(books) == [(1, "open", 2)]


def test_a_record_that_is_gone_without_going_on_is_resolved(books: sa.Engine) -> None:
    run_stage(books, suspended(1))
    run_stage(books, suspended(), LATER)

    assert lives(books) == [(1, "resolved", 1)]
    with tenant_scope(books, "acme") as connection:
        assert read_suspense_states(connection)["closed_at"].to_list() == [LATER]


def test_a_record_written_off_stays_so(books: sa.Engine) -> None:
    run_stage(books, suspended(1, 2))
    give_up(books, 1)
    run_stage(books, suspended(1, 2), LATER)

    assert lives(books) == [(1, "written_off", 2), (2, "open", 2)]
    with tenant_scope(books, "acme") as connection:
        log = read_audit_log(connection, "acme").select("actor", "action", "subject", "note")
    assert log.rows()[-1] == ("ann", "written_off", "1 suspended record(s)", "test numbers")


def test_only_what_is_in_suspense_can_be_written_off(books: sa.Engine) -> None:
    run_stage(books, suspended(1))

    with pytest.raises(NotInSuspense, match=r"2 record.* 1 of them"):
        give_up(books, 1, 9)

    assert lives(books) == [(1, "open", 1)]


def test_asking_twice_is_asking_once(books: sa.Engine) -> None:
    assert [ask(books), ask(books)] == ["pending", "pending"]

    allow(books, "ann")

    assert ask(books) == "approved"
    with tenant_scope(books, "acme") as connection:
        assert read_approvals(connection, "pending").is_empty()
        assert read_approvals(connection).get_column("decided_by").to_list() == ["ann"]


def test_nobody_approves_what_they_asked_for(books: sa.Engine) -> None:
    ask(books)

    with pytest.raises(IntegrityError, match="approvals_need_four_eyes"):
        allow(books, "bill run")


def test_a_decision_stands(books: sa.Engine) -> None:
    ask(books)
    with tenant_scope(books, "acme") as connection:
        refuse(
            connection,
            "acme",
            kind="held_account",
            subject="A1/2026-02-01",
            refused_by="bob",
            refused_at=LATER,
            note="wrong deck",
        )

    assert ask(books) == "refused"
    with pytest.raises(NotPending):
        allow(books, "ann")
    with pytest.raises(DBAPIError, match="was refused by bob"), books.begin() as owner:
        owner.execute(sa.text("update approvals set state = 'approved'"))


def test_applying_a_revision_is_logged(books: sa.Engine) -> None:
    with tenant_scope(books, "acme") as connection:
        log = read_audit_log(connection)

    assert log.select("actor", "action", "subject").rows() == [("test", "applied", "revision 1")]


def test_the_log_is_not_rewritten(books: sa.Engine) -> None:
    with tenant_scope(books, "acme") as connection:
        log_decision(connection, "acme", actor="ann", action="looked", subject="books")

    with pytest.raises(DBAPIError, match="append-only"), books.begin() as owner:
        owner.execute(sa.text("delete from audit_log"))
