"""`billing feed`: list, show, new, check, as people and machines call them."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from billing_pipeline.cli import billing

SESSION = """\
key: sessions
name: Sessions
match: {file_name: 's.*'}
frame: {framing: delimited, header: names}
fields:
  session: {required: true}
  part: {required: true}
  at: {type: time, required: true}
  used: {type: integer, required: true}
identity: [session, part, at]
assemble: {key: session, mode: delta, first_when: "part == 'start'", last_when: "part == 'stop'"}
event: {usage_type: data, service_identifier: session, started_at: at, quantity: used, unit: B}
"""
RECORDS = """\
session,part,at,used
one,start,2026-01-12T09:00:00Z,1
one,stop,2026-01-12T09:10:00Z,2
two,start,2026-01-12T09:00:00Z,4
three,start,yesterday,8
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without an installation, with a feed and a file."""
    monkeypatch.chdir(tmp_path)
    for variable in ("BILLING_HOME", "BILLING_DATABASE_URL"):
        monkeypatch.delenv(variable, raising=False)
    (tmp_path / "sessions.yaml").write_text(SESSION)
    (tmp_path / "s1.csv").write_text(RECORDS)
    (tmp_path / "s2.csv").write_text(RECORDS)
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(billing, words)


@pytest.mark.usefixtures("here")
def test_shipped_feeds_are_listed_without_starting_a_database() -> None:
    listed = run("feed", "list")

    assert listed.exit_code == 0
    assert "asterisk_cdr" in listed.output
    assert "xml" in listed.output
    assert not Path(".billing").exists()


@pytest.mark.usefixtures("here")
def test_a_feed_is_shown_as_it_is_written_and_in_words() -> None:
    shown = run("feed", "show", "aws_cur")

    assert "snapshot: supersede" in shown.output
    assert "replaces its period" in shown.output
    assert "identified by id, interval" in shown.output


@pytest.mark.usefixtures("here")
def test_an_unknown_feed_is_named() -> None:
    assert "no feed 'nothing'" in str(run("feed", "show", "nothing").exception)


@pytest.mark.usefixtures("here")
def test_a_check_counts_every_record_and_what_is_pending() -> None:
    checked = run("feed", "check", "sessions.yaml", "s1.csv", "s2.csv", "--json")

    assert checked.exit_code == 0
    first, second = json.loads(checked.output)
    # The first session is one event of 3 bytes; of the second the end is missing.
    assert (first["records"], first["accepted"], first["pending"]) == (4, 1, 1)
    assert first["filtered"] == {"assembled": 1}
    assert first["suspended"] == {"invalid_time": 1}
    assert first["examples"]["invalid_time"] == ["record 4: at: yesterday: three,start,yesterday,8"]
    assert {name: int(float(sum_)) for name, sum_ in first["quantities"].items()} == {
        "accepted": 3,
        "duplicates": 0,
        "pending": 4,
        "suspended": 8,
        "filtered": 0,
    }
    assert first["is_conserved"]
    assert second["state"] == "duplicate"


@pytest.mark.usefixtures("here")
def test_a_name_that_does_not_fit_is_told() -> None:
    Path("other.csv").write_text(RECORDS)

    assert (
        "does not fit the pattern s.*" in run("feed", "check", "sessions.yaml", "other.csv").output
    )


def test_a_new_feed_is_written_once_and_reads_its_sample(here: Path) -> None:
    (here / "cdr_1.csv").write_text("id,src,start,billsec\n1,0207946,2026-01-12 09:00:00,61\n")

    made = run("feed", "new", "cdr_1.csv", "--out", "cdr.yaml", "--zone", "Europe/London")
    again = run("feed", "new", "cdr_1.csv", "--out", "cdr.yaml")
    checked = run("feed", "check", "cdr.yaml", "cdr_1.csv")

    assert made.exit_code == 0
    assert "is there already" in again.output
    assert "1 accepted with quantity 61" in checked.output


@pytest.mark.usefixtures("here")
def test_a_definition_that_is_not_there_is_told() -> None:
    assert "billing feed list" in str(run("feed", "check", "nothing", "s1.csv").exception)
