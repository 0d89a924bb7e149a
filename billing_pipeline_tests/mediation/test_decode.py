"""Decoding: every record in exactly one place, with its number, whatever the file looks like."""

import csv
import datetime as dt
import io
from decimal import Decimal

import polars as pl
import pytest

from billing_pipeline.mediation.framing import blocks
from billing_pipeline.mediation.refusal import FileRefused, QuarantineReason
from billing_pipeline_tests.mediation.reading import (
    HEADER,
    call,
    decoded,
    delimited,
    feed,
    numbers,
    quantity,
    reasons,
    records,
)


def test_a_clean_call_becomes_one_event() -> None:
    event = decoded(feed(), HEADER + call(1)).accepted.row(0, named=True)

    assert event["service_identifier"] == "442079460001"
    assert event["destination"] == "33142000000"
    assert event["started_at"] == dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC)
    assert event["quantity"] == Decimal(61)
    assert event["identity"] == "c1"
    assert event["record_number"] == 1
    assert event["flags"] is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"secs": "-5"}, "negative_quantity", id="negative"),
        pytest.param({"secs": ""}, "missing_required", id="no quantity"),
        pytest.param({"secs": "abc"}, "invalid_quantity", id="text"),
        pytest.param({"secs": "NaN"}, "invalid_quantity", id="not a number"),
        pytest.param({"secs": "1e40"}, "invalid_quantity", id="overflow"),
        pytest.param({"start": "2026-02-30 10:00:00"}, "invalid_time", id="no such day"),
        pytest.param({"start": "1970-01-01 00:00:00"}, "invalid_time", id="epoch zero"),
        pytest.param({"start": ""}, "missing_required", id="no time"),
        pytest.param({"id": ""}, "missing_required", id="no identity"),
        pytest.param({"result": "QUEUED"}, "unknown_record_type", id="unknown disposition"),
        pytest.param({"dst": "4.42079E+11"}, "mangled_number", id="spreadsheet damage"),
        pytest.param({"dst": "1,2"}, "column_count", id="one column too many"),
        pytest.param({"dst": '"1'}, "invalid_syntax", id="a quote never closed"),
        pytest.param({"dst": "1\x002"}, "control_characters", id="a NUL byte"),
    ],
)
def test_a_bad_record_is_suspended_with_its_reason_and_raw_text(
    changes: dict[str, str], reason: str
) -> None:
    bad = call(2, **changes)

    outcome = decoded(feed(), HEADER + call(1) + bad + call(3))

    assert outcome.accepted["record_number"].to_list() == [1, 3]
    row = outcome.suspended.row(0, named=True)
    assert (row["reason"], row["record_number"]) == (reason, 2)
    assert row["raw"] == bad.rstrip("\n")


def test_an_unanswered_call_is_filtered_and_counted() -> None:
    outcome = decoded(feed(), HEADER + call(1) + call(2, result="BUSY", secs="0"))

    assert outcome.filtered.select("record_number", "reason").rows() == [(2, "not_answered")]
    assert records(outcome) == 2


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", ["", "end"])
def test_any_line_end_will_do_and_the_last_may_lack_one(end: str, last: str) -> None:
    text = (HEADER + call(1) + call(2)).replace("\n", end)

    outcome = decoded(feed(), text if last else text.removesuffix(end))

    assert outcome.accepted["identity"].to_list() == ["c1", "c2"]


def test_a_byte_order_mark_is_taken_off_a_quoted_header() -> None:
    text = '\ufeff"id","src","dst","start","secs","result"\n' + call(1)

    assert records(decoded(feed(), text)) == 1


def test_quoted_commas_quotes_and_line_ends_are_content() -> None:
    text = HEADER + call(1, id='"a,""b""\nc"') + call(2)

    outcome = decoded(feed(), text)

    assert outcome.accepted["identity"].to_list() == ['a,"b"\nc', "c2"]
    assert numbers(outcome) == [1, 2]


def test_a_flipped_quote_does_not_eat_its_neighbours() -> None:
    quoted = [
        f'"c{n}","02079460001","+33142000000","2026-03-02 10:00:00","60","ANSWERED"\n'
        for n in range(6)
    ]
    quoted[2] = quoted[2].replace('"c2"', '"c2')

    outcome = decoded(feed(), HEADER + "".join(quoted))

    assert outcome.accepted["identity"].to_list() == ["c0", "c1", "c3", "c4", "c5"]
    assert reasons(outcome) == {"invalid_syntax": 1}
    assert outcome.suspended["record_number"].to_list() == [3]


def test_a_flipped_quote_among_plain_lines_costs_one_record() -> None:
    lines = [call(n) for n in range(300)]
    lines[7] = '"' + lines[7]

    outcome = decoded(feed(), HEADER + "".join(lines))

    assert outcome.accepted.height == 299
    assert outcome.suspended["record_number"].to_list() == [8]


def test_a_record_with_line_ends_survives_every_block_boundary(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = HEADER + "".join(
        call(n, id=f'"c{n}\n{"x" * n}\n,"' if n % 3 == 0 else f"c{n}") for n in range(20)
    )
    expected = [row["id"] for row in csv.DictReader(io.StringIO(text, newline=""))]

    for size in (60, 97, 150, 333):
        monkeypatch.setattr(blocks, "BLOCK_BYTES", size)
        outcome = decoded(feed(), text)
        assert outcome.accepted["identity"].to_list() == expected, size
        assert numbers(outcome) == list(range(1, 21)), size


def test_blocks_do_not_change_the_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [call(n) for n in range(50)]
    lines[10] = "half a li\n"
    lines[20] = call(20, secs="-1")
    lines[30] = call(30, result="BUSY")
    text = HEADER + "".join(lines)
    whole = decoded(feed(), text)

    monkeypatch.setattr(blocks, "BLOCK_BYTES", 500)
    parts = decoded(feed(), text)

    for one, other in zip(whole, parts, strict=True):
        assert one.equals(other)


def test_a_line_without_end_is_one_suspended_record_and_memory_stays_small(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 1000)
    definition = delimited(max_record_bytes=500)
    text = HEADER + call(1) + "x" * 100_000 + "\n" + call(2)

    outcome = decoded(definition, text)

    assert outcome.accepted["identity"].to_list() == ["c1", "c2"]
    assert reasons(outcome) == {"field_too_long": 1}
    assert numbers(outcome) == [1, 2, 3]
    assert len(outcome.suspended["raw"][0]) <= blocks.RAW_KEPT


def test_a_fallback_encoding_is_flagged_and_without_one_the_record_is_suspended() -> None:
    text = HEADER.encode() + call(1).encode() + call(2, id="Zoë").encode("latin-1")

    strict = decoded(feed(), text)
    lenient = decoded(delimited(fallback_encoding="latin-1"), text)

    assert reasons(strict) == {"invalid_encoding": 1}
    assert "\\xeb" in strict.suspended["raw"][0]
    assert lenient.accepted.select("identity", "flags").rows() == [
        ("c1", None),
        ("Zoë", "fallback_encoding"),
    ]


def test_utf_16_is_read_where_declared_and_refused_elsewhere() -> None:
    content = (HEADER + call(1)).encode("utf-16")

    assert records(decoded(delimited(encoding="utf-16"), content)) == 1
    with pytest.raises(FileRefused) as refused:
        decoded(feed(), content)
    assert refused.value.reason is QuarantineReason.UNEXPECTED_ENCODING


def test_tolerant_quoting_reads_unescaped_quotes_within_one_line() -> None:
    line = '"Bob "The" Man","02079460001","+33142000000","2026-03-02 10:00:00","60","ANSWERED"\n'

    strict = decoded(feed(), HEADER + line)
    tolerant = decoded(delimited(quoting="tolerant"), HEADER + line + call(2))

    assert reasons(strict) == {"invalid_syntax": 1}
    assert tolerant.accepted.select("identity", "flags").rows() == [
        ('Bob "The" Man', "tolerant_quotes"),
        ("c2", None),
    ]


def test_backslash_escapes_are_resolved() -> None:
    outcome = decoded(delimited(escape="backslash"), HEADER + call(1, id=r"a\,b\"c") + call(2))

    assert outcome.accepted["identity"].to_list() == ['a,b"c', "c2"]


def test_comments_type_rows_and_free_text_are_no_records() -> None:
    definition = delimited(skip_lines=2, rows_after_header=1, comment_prefix="#")
    text = (
        f"free text\nmore, text\n{HEADER}INTEGER,TEXT,TEXT,TIME,INTEGER,TEXT\n{call(1)}#{call(2)}"
    )

    assert numbers(decoded(definition, text)) == [1]


def test_one_trailing_delimiter_may_be_allowed() -> None:
    line = call(1).rstrip("\n") + ",\n"

    assert reasons(decoded(feed(), HEADER + line)) == {"column_count": 1}
    allowed = decoded(delimited(trailing_delimiter="allow"), HEADER + line + call(2))
    assert allowed.accepted["identity"].to_list() == ["c1", "c2"]


def test_columns_are_found_by_name_in_any_order_and_new_ones_do_no_harm() -> None:
    text = (
        "new,result,secs,start,dst,src,id\n"
        "x,ANSWERED,5,2026-03-02 10:00:00,+33142000000,02079460001,q\n"
    )

    assert decoded(feed(), text).accepted["quantity"].to_list() == [Decimal(5)]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param("<html><body>503</body></html>\nx\n", "missing_column", id="an error page"),
        pytest.param("id,src\n1,2\n", "missing_column", id="a column is gone"),
        pytest.param(
            HEADER + "a;b;c\n" * 30, "too_many_errors", id="another delimiter in most records"
        ),
    ],
)
def test_a_file_of_another_kind_is_refused_whole(content: str, reason: str) -> None:
    with pytest.raises(FileRefused) as refused:
        decoded(feed(), content)

    assert refused.value.reason == reason


@pytest.mark.parametrize("content", ["", "\n\n", HEADER])
def test_a_file_without_records_is_no_error(content: str) -> None:
    assert records(decoded(feed(), content)) == 0


def test_events_after_landing_and_long_before_it_are_judged_by_the_landing_time() -> None:
    text = HEADER + call(1, start="2026-03-05 10:00:00") + call(2, start="2025-12-01 10:00:00")
    landed_at = dt.datetime(2026, 3, 3, tzinfo=dt.UTC)

    outcome = decoded(feed(), text, landed_at=landed_at)

    assert reasons(outcome) == {"future_event": 1}
    assert outcome.accepted["flags"].to_list() == ["late"]
    too_late = decoded(feed(checks={"max_age_days": 60}), text, landed_at=landed_at)
    assert reasons(too_late) == {"future_event": 1, "too_late": 1}


def test_quantity_is_conserved_over_all_outcomes() -> None:
    outcome = decoded(feed(), HEADER + call(1) + call(2, result="BUSY") + call(3, secs="-9"))

    total = sum(Decimal(part["quantity"].sum() or 0) for part in outcome)
    assert total == 61 + 62 - 9
    assert quantity(outcome) == 61


def test_the_reader_agrees_with_an_independent_one_on_plain_and_quoted_lines() -> None:
    lines = [call(n, id=f'"{n},""x"""' if n % 2 else str(n)) for n in range(200)]
    text = HEADER + "".join(lines)

    expected = [row["id"] for row in csv.DictReader(io.StringIO(text, newline=""))]

    assert decoded(feed(), text).accepted["identity"].to_list() == expected


def test_a_trailer_must_agree_with_the_records() -> None:
    definition = feed(
        frame={
            "framing": "delimited",
            "header": "none",
            "columns": ["id", "src", "dst", "start", "secs", "result"],
            "widths": [3, 6],
        },
        fields={
            "id": {"required": False},
            "started_at": {"type": "time", "source": "start", "formats": ["%Y-%m-%d %H:%M:%S"]},
            "caller": {"type": "phone", "source": "src"},
            "called": {"type": "phone", "source": "dst"},
            "seconds": {"type": "duration", "source": "secs"},
            "result": {},
            "claimed": {"type": "integer", "source": "src"},
            "claimed_seconds": {"type": "integer", "source": "dst"},
        },
        records={
            "selector": "id",
            "types": [
                {"values": ["TRL"], "action": "control"},
                {"pattern": "c[0-9]+", "action": "usage"},
            ],
        },
        checks={
            "trailer": {"when": "id == 'TRL'", "records": "claimed", "quantity": "claimed_seconds"}
        },
    )
    body = call(1) + call(2)

    right = decoded(definition, body + "TRL,2,123\n")
    assert (right.accepted.height, right.filtered["reason"].to_list()) == (2, ["control_record"])
    for trailer, reason in [
        ("TRL,3,123\n", "trailer_mismatch"),
        ("TRL,2,124\n", "trailer_mismatch"),
        ("", "missing_trailer"),
    ]:
        with pytest.raises(FileRefused) as refused:
            decoded(definition, body + trailer)
        assert refused.value.reason == reason


def test_attributes_are_a_json_object_with_sorted_keys() -> None:
    definition = feed()
    event = definition.event.model_copy(update={"attributes": ["result", "id"]})

    outcome = decoded(definition.model_copy(update={"event": event}), HEADER + call(1))

    assert outcome.accepted["attributes"].to_list() == ['{"id":"c1","result":"ANSWERED"}']


def test_without_declared_identity_the_whole_record_is_it() -> None:
    outcome = decoded(feed(identity=[]), HEADER + call(1))

    assert outcome.accepted.select(pl.col("identity")).item() == call(1).rstrip("\n")
