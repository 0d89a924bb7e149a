import datetime as dt

import polars as pl
import pytest
import sqlalchemy as sa

from billing_pipeline.assurance.schema import FINDINGS
from billing_pipeline.books.findings import (
    NoSuchFinding,
    accept_finding,
    assign_finding,
    read_findings,
    record_findings,
    stops,
)
from billing_pipeline.books.scope import installation_scope
from billing_pipeline_tests.books.builders import NOON, Values, apply, frame, tenant_rows

pytestmark = pytest.mark.postgres

LATER = NOON + dt.timedelta(days=1)


@pytest.fixture
def books(engine: sa.Engine) -> sa.Engine:
    apply(engine, tenant_rows())
    return engine


def found(*subjects: str, message: str = "12 jumps to 120") -> pl.DataFrame:
    rows: list[Values] = [
        {"control": "jump", "severity": "block", "subject": subject, "message": message}
        for subject in subjects
    ]
    return frame(FINDINGS, *rows)


def run_control(engine: sa.Engine, findings: pl.DataFrame, at: dt.datetime = NOON) -> None:
    with installation_scope(engine) as connection:
        record_findings(connection, "acme", findings, controls=["jump"], seen_at=at)


def states(engine: sa.Engine) -> list[tuple[object, ...]]:
    with installation_scope(engine) as connection:
        kept = read_findings(connection)
    return kept.select("subject", "state", "sightings").rows()


def accept(engine: sa.Engine, subject: str) -> None:
    with installation_scope(engine) as connection:
        accept_finding(
            connection, "acme", control="jump", subject=subject, accepted_by="ann", note="a fair"
        )


def test_a_finding_seen_every_night_is_one_finding(books: sa.Engine) -> None:
    run_control(books, found("A1"))
    run_control(books, found("A1"), LATER)

    assert states(books) == [("A1", "open", 2)]
    with installation_scope(books) as connection:
        kept = read_findings(connection, "open").row(0, named=True)
    assert (kept["first_seen_at"], kept["last_seen_at"]) == (NOON, LATER)


def test_what_the_next_run_does_not_find_is_resolved(books: sa.Engine) -> None:
    run_control(books, found("A1", "A2"))
    run_control(books, found("A2"), LATER)
    assert states(books) == [("A1", "resolved", 1), ("A2", "open", 2)]

    run_control(books, found("A1", "A2"), LATER)
    assert states(books) == [("A1", "open", 2), ("A2", "open", 3)]


def test_other_controls_findings_are_left_alone(books: sa.Engine) -> None:
    run_control(books, found("A1"))
    with installation_scope(books) as connection:
        record_findings(connection, "acme", FINDINGS.empty(), controls=["other"], seen_at=LATER)

    assert states(books) == [("A1", "open", 1)]


def test_an_accepted_finding_stays_accepted_until_it_says_something_else(books: sa.Engine) -> None:
    run_control(books, found("A1"))
    accept(books, "A1")
    run_control(books, found("A1"), LATER)
    assert states(books) == [("A1", "accepted", 2)]

    run_control(books, found("A1", message="120 jumps to 1200"), LATER)
    assert states(books) == [("A1", "open", 3)]


def test_only_what_is_open_can_be_accepted(books: sa.Engine) -> None:
    with pytest.raises(NoSuchFinding, match="jump has no open finding about A9"):
        accept(books, "A9")


def test_a_run_that_looked_at_some_subjects_leaves_the_others_alone(books: sa.Engine) -> None:
    run_control(books, found("A1", "A2"))
    with installation_scope(books) as connection:
        record_findings(
            connection,
            "acme",
            FINDINGS.empty(),
            controls=["jump"],
            seen_at=LATER,
            among=pl.Series(["A2", "A3"]),
        )

    assert states(books) == [("A1", "open", 1), ("A2", "resolved", 1)]


def test_who_looks_after_a_finding_and_what_is_known_of_it_are_kept(books: sa.Engine) -> None:
    run_control(books, found("A1"))
    with installation_scope(books) as connection:
        assign_finding(connection, "acme", control="jump", subject="A1", assigned_to="ann")
        assign_finding(connection, "acme", control="jump", subject="A1", note="asked the customer")
    run_control(books, found("A1"), LATER)

    with installation_scope(books) as connection:
        kept = read_findings(connection).row(0, named=True)
    assert (kept["assigned_to"], kept["assignment_note"]) == ("ann", "asked the customer")


def test_nobody_looks_after_what_is_not_there(books: sa.Engine) -> None:
    with (
        installation_scope(books) as connection,
        pytest.raises(NoSuchFinding, match="jump has no open finding about A1"),
    ):
        assign_finding(connection, "acme", control="jump", subject="A1", assigned_to="ann")


def test_an_open_blocking_finding_stops_its_account_or_the_tenant(books: sa.Engine) -> None:
    of_account = found("A1", "A2").with_columns(account_key=pl.Series(["A1", None]))
    run_control(books, of_account)
    accept(books, "A2")

    with installation_scope(books) as connection:
        stopping = stops(connection, "acme", ["jump"])
        assert stops(connection, "acme", ["other"]).is_empty()

    assert stopping.select("subject", "account_key").rows() == [("A1", "A1")]
