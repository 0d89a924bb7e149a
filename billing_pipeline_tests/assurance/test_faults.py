"""Faults put into a billed installation, as a superuser or on the disk; each is caught and named.

The story has two accounts with a fee and calls, billed on 1 January and 1 February. Nothing fires
on it as it is. What is mended closes; what blocks one account stops nobody else.
"""

import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa

from billing_pipeline.books import due, invoices, manifest
from billing_pipeline.books.findings import read_findings
from billing_pipeline.books.scope import installation_scope, tenant_scope
from billing_pipeline.lake import layout
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.simulate import simulate
from billing_pipeline.orchestration.steps.assure import AssuredTenant, assure_tenant
from billing_pipeline.orchestration.steps.compute import (
    ComputedCharges,
    compute_bill_day,
    keep_charges,
)
from billing_pipeline.orchestration.steps.facts import read_facts
from billing_pipeline.orchestration.steps.issue import StoppedByControl, issue_bill_day
from billing_pipeline.orchestration.throwaway import installation_below

pytestmark = [pytest.mark.postgres, pytest.mark.scenario]

STORY = (
    Path(__file__).parents[1]
    / "scenarios"
    / "fee_in_advance_and_usage_in_arrears_on_one_invoice"
    / "given"
)
JANUARY_31, FEBRUARY = dt.date(2026, 1, 31), dt.date(2026, 2, 1)
THE_DAY_AFTER = dt.date(2026, 2, 2)
NOON = dt.datetime(2026, 2, 1, 12, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def billed_once(tmp_path_factory: pytest.TempPathFactory, module_database_url: str) -> Path:
    """Folder of the story as it was played up to 1 February; the books are the module's."""
    home = tmp_path_factory.mktemp("billed")
    played(home, module_database_url, FEBRUARY).engine.dispose()
    return home


@pytest.fixture
def billed(
    billed_once: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Installation]:
    """Everything up to 1 February is billed: a copy to break."""
    home = tmp_path / "copy"
    shutil.copytree(billed_once, home)
    installation = installation_below(home, request.getfixturevalue("clone_of_module"))
    yield installation
    installation.engine.dispose()


@pytest.fixture
def computed(tmp_path: Path, database_url: str) -> Installation:
    """1 February is computed and not issued yet."""
    installation = played(tmp_path, database_url, JANUARY_31)
    with installation_scope(installation.engine) as connection:
        due.plan_bill_days(connection, NOON)
    facts = read_facts(installation, "acme")
    keep_charges(installation, "acme", FEBRUARY, compute_bill_day(installation, facts, FEBRUARY))
    return installation


def played(home: Path, database_url: str, through: dt.date) -> Installation:
    story = home / "story"
    shutil.copytree(STORY, story)
    # The story lands its file on 1 February; here it is there from the beginning.
    calls = story / "acme" / "usage" / "calls"
    (calls / "@2026-02-01" / "calls_january.csv").rename(calls / "calls_0001.csv")
    feed = story / "acme" / "feeds" / "calls.yaml"
    numbered = feed.read_text().replace(r"calls.*\.csv", r"calls_(?P<sequence>[0-9]{4})\.csv")
    feed.write_text(numbered)
    add_account(story / "acme")
    installation = installation_below(home, database_url)
    simulate(installation, story, through, home / "out")
    return installation


def add_account(tenant: Path) -> None:
    for name, row in (
        ("accounts.csv", "A-2,Customer A-2,2026-01-01,,2 Main Street,Springfield,12345,US,"),
        ("subscriptions.csv", "S-2,A-2,basic,2026-01-01,,,"),
    ):
        with (tenant / name).open("a") as rows:
            rows.write(f"{row}\n")


def controls_say(installation: Installation, day: dt.date = FEBRUARY) -> AssuredTenant:
    return assure_tenant(installation, read_facts(installation, "acme"), [day], NOON)


def names(said: AssuredTenant) -> set[str]:
    return set(said.found["control"])


def rated_part(installation: Installation) -> Path:
    with tenant_scope(installation.engine, "acme") as connection:
        paths = manifest.partition_paths(
            connection, layout.RATED_USAGE, "acme", dt.date(2026, 1, 1), dt.date(2026, 2, 2)
        )
    return Path(installation.lake.locate(paths.item(0, "path")))


def as_superuser(installation: Installation, statement: str) -> None:
    with installation.engine.begin() as connection:
        connection.execute(sa.text("set local session_replication_role = replica"))
        connection.execute(sa.text(statement))


def tamper_with_parquet(installation: Installation) -> None:
    part = rated_part(installation)
    pl.read_parquet(part).with_columns(pl.col("amount") * 2).write_parquet(part)


def lose_a_parquet_file(installation: Installation) -> None:
    rated_part(installation).unlink()


def change(statement: str) -> Callable[[Installation], None]:
    return lambda installation: as_superuser(installation, statement)


AFTER_BILLING = {
    "a file never came": (
        change(
            "insert into usage_files (tenant_key, feed_key, url, name, size_bytes, etag, "
            "landed_at, landing_day) values ('acme', 'calls', 'u', 'calls_0003.csv', 1, 'e', "
            "'2026-02-01', '2026-02-01')"
        ),
        "sequence_gap",
    ),
    "a Parquet file is tampered with": (tamper_with_parquet, "lake_part"),
    "a Parquet file is lost": (lose_a_parquet_file, "usage_conserved"),
    "a day of rating left no trace": (
        change("delete from conservation where stage = 'rate'"),
        "missing_day",
    ),
    "mediation doubled a record": (
        change("update conservation set accepted = accepted + 1 where stage = 'mediate'"),
        "conservation",
    ),
    "a bill day is skipped": (
        change("delete from bill_days where bill_day = '2026-01-15'"),
        "bill_days_without_gaps",
    ),
    "a subscription ends before its usage": (
        change("update subscriptions set ended_on = '2026-01-10' where subscription_key = 'S-1'"),
        "usage_outside_subscription",
    ),
    "a charge of nobody": (
        change("update charges set subscription_key = 'S-9' where account_key = 'A-2'"),
        "charge_without_subscription",
    ),
    "charges of a subscription are gone": (
        change("delete from charges where subscription_key = 'S-2'"),
        "subscription_without_charge",
    ),
    "a booked row is changed": (
        change("update postings set amount_minor = amount_minor + 1 where role = 'receivable'"),
        "rederived_totals",
    ),
    "a document's tax is changed": (
        change("update invoice_taxes set tax_minor = 1"),
        "taxes_recomputed",
    ),
    "a number is missing": (
        change("delete from invoices where invoice_number like '%1'"),
        "invoice_numbers_without_gaps",
    ),
    "the rate card ran out": (
        change(
            "insert into rate_card_prices (tenant_key, card_key, valid_from, valid_until, prefix, "
            "band, name, unit_price, connection_fee, minimum_units, increment_units, revision, "
            "known_from) values ('acme', 'old', '2025-12-01', '2026-01-02', '1', '', 'x', 1, 0, "
            "0, 1, 1, '2025-12-01')"
        ),
        "rate_card_lapsed",
    ),
}


def test_nothing_fires_on_clean_books(billed: Installation) -> None:
    said = controls_say(billed, THE_DAY_AFTER)

    assert said.found.is_empty()
    assert len(said.controls) + len(said.checks) > 30


@pytest.mark.parametrize("fault", AFTER_BILLING)
def test_a_fault_is_caught_and_named(billed: Installation, fault: str) -> None:
    put_in, control = AFTER_BILLING[fault]

    put_in(billed)

    assert control in names(controls_say(billed, THE_DAY_AFTER))


def with_charges(installation: Installation, changed: pl.Expr) -> None:
    """Change what was computed for 1 February the way a faulty stage would."""
    facts = read_facts(installation, "acme")
    right = compute_bill_day(installation, facts, FEBRUARY)
    wrong = ComputedCharges(right.account_keys, right.charges.with_columns(changed), right.revision)
    keep_charges(installation, "acme", FEBRUARY, wrong)


DOUBLED = (
    pl.when(pl.col("charge_kind") == "usage")
    .then(pl.col("amount") * 2)
    .otherwise("amount")
    .cast(pl.Decimal(38, 10))
    .alias("amount")
)
ONE_EVENT_MORE = (
    pl.when(pl.col("charge_kind") == "usage")
    .then(pl.col("events") + 1)
    .otherwise("events")
    .alias("events")
)
OVERLAPPING = (
    pl.when(pl.col("charge_kind") == "recurring")
    .then(pl.lit(dt.date(2026, 1, 1)))
    .otherwise("service_from")
    .alias("service_from")
)


@pytest.mark.parametrize(
    ("changed", "control"),
    [
        pytest.param(DOUBLED, "rederived_totals", id="a doubled rate"),
        pytest.param(ONE_EVENT_MORE, "usage_charged", id="an event charged twice"),
        pytest.param(OVERLAPPING, "service_period_once", id="January charged again"),
    ],
)
def test_a_faulty_charge_is_caught_before_it_is_issued(
    computed: Installation, changed: pl.Expr, control: str
) -> None:
    with_charges(computed, changed)

    assert control in names(controls_say(computed))


def issue(installation: Installation) -> None:
    issue_bill_day(installation, read_facts(installation, "acme"), FEBRUARY, NOON)


def billed_accounts(installation: Installation) -> list[str]:
    with tenant_scope(installation.engine, "acme") as connection:
        documents = invoices.read_invoices(connection, "acme", bill_day=FEBRUARY)
    return documents["account_key"].sort().to_list()


def state_of(installation: Installation, control: str) -> list[str]:
    with installation_scope(installation.engine) as connection:
        found = read_findings(connection)
    return found.filter(pl.col("control") == control)["state"].to_list()


def test_a_doubled_rate_stops_the_account_it_hits_and_nobody_else(computed: Installation) -> None:
    with_charges(computed, DOUBLED)
    controls_say(computed)

    issue(computed)

    assert billed_accounts(computed) == ["A-2"]
    assert state_of(computed, "account_held") == ["open"]


def test_what_is_mended_closes_its_finding_and_is_billed(computed: Installation) -> None:
    with_charges(computed, DOUBLED)
    controls_say(computed)
    assert state_of(computed, "rederived_totals") == ["open"]

    facts = read_facts(computed, "acme")
    keep_charges(computed, "acme", FEBRUARY, compute_bill_day(computed, facts, FEBRUARY))
    controls_say(computed)
    issue(computed)

    assert state_of(computed, "rederived_totals") == ["resolved"]
    assert billed_accounts(computed) == ["A-1", "A-2"]


def test_a_fault_of_the_whole_tenant_issues_nothing(computed: Installation) -> None:
    tamper_with_parquet(computed)
    controls_say(computed)

    with pytest.raises(StoppedByControl, match="lake_part rated_usage/tenant=acme"):
        issue(computed)

    assert billed_accounts(computed) == []


def test_a_finding_a_person_lets_stand_stops_nobody(computed: Installation) -> None:
    with_charges(computed, DOUBLED)
    subject = controls_say(computed).found.item(0, "subject")
    with tenant_scope(computed.engine, "acme") as connection:
        accept_all(connection, subject)

    issue(computed)

    assert billed_accounts(computed) == ["A-1", "A-2"]


def accept_all(connection: sa.Connection, subject: str) -> None:
    connection.execute(
        sa.text(
            "update findings set state = 'accepted', decided_by = 'ann', decision_note = 'agreed' "
            "where subject = :subject"
        ),
        {"subject": subject},
    )
