"""Documents that are one value: records come out as they are read, and nothing is guessed."""

import datetime as dt
import io
import json

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_pipeline.catalog.feed_frames import JsonFrame, SpreadsheetFrame
from billing_pipeline.mediation.framing.documents import spreadsheet_blocks
from billing_pipeline.mediation.framing.json_documents import json_blocks
from billing_pipeline.mediation.refusal import FileRefused


def read_json(text: str | bytes, records: str = "calls") -> list[tuple[str | None, str | None]]:
    """Field `a` of every record, and why it is none."""
    content = text.encode() if isinstance(text, str) else text
    blocks = list(json_blocks(JsonFrame(framing="json", records=records), Drops(content), ["a"]))
    good = [(value, None) for block in blocks for value in block.columns["a"]]
    return good + [(None, detail) for block in blocks for detail in block.rejects["detail"]]


class Drops(io.BytesIO):
    """A stream that gives a few bytes at a time."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(7, size or 0))


@settings(max_examples=40)
@given(
    values=st.lists(st.text() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False)),
    indent=st.sampled_from([None, 2]),
)
def test_a_list_anywhere_in_a_document_is_read_as_it_is_written(
    values: list[object], indent: int | None
) -> None:
    calls = [{"b": 1, "a": str(value)} for value in values]
    document = {"before": [{"a": 0}], "in": {"calls": calls, "n": len(calls)}, "after": None}

    read = read_json(json.dumps(document, indent=indent), "in.calls")

    assert read == [(str(value), None) for value in values]


@pytest.mark.parametrize(
    ("text", "records", "expected"),
    [
        pytest.param('[{"a": 1}, {"a": 2}]', "", ["1", "2"], id="a list"),
        pytest.param('{"a": 12345678901234567890}', "", ["12345678901234567890"], id="a record"),
        pytest.param('{"calls": {"a": 1.10}}', "calls", ["1.10"], id="one record at the path"),
        pytest.param('{"calls": []}', "calls", [], id="no record"),
        pytest.param("  \n", "calls", [], id="nothing at all"),
        pytest.param('\ufeff[{"a": "é"}]', "", ["é"], id="a byte order mark"),
    ],
)
def test_records_are_where_the_feed_says(text: str, records: str, expected: list[str]) -> None:
    assert read_json(text, records) == [(value, None) for value in expected]


def test_a_record_with_a_key_twice_is_suspended_and_its_neighbours_load() -> None:
    assert read_json('{"calls": [{"a": 1}, {"a": 2, "a": 3}, {"a": 4}, 5]}') == [
        ("1", None),
        ("4", None),
        (None, "the key 'a' stands twice in one object"),
        (None, "not a JSON object"),
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{"calls": [{"a": 1}, {"a": 2]}', "delimiter"),
        ('{"calls": [{"a": 1}', "expected, not the end"),
        ('{"calls": [{"a": 1}]', "expected, not the end"),
        ('{"calls": [{"a": 1}]} and more', "something stands behind"),
        ('{"calls": [], "calls": []}', "'calls' stands twice"),
        ('{"others": []}', "has no 'calls'"),
        ("[]", "has no 'calls'"),
        ("{1: 2}", "a key in quotes"),
        (b'{"calls": "\xff"}', "not in the declared encoding"),
    ],
)
def test_a_document_that_is_not_whole_is_refused(text: str | bytes, complaint: str) -> None:
    with pytest.raises(FileRefused, match=complaint):
        read_json(text)


def test_records_are_handed_on_before_the_document_ends() -> None:
    content = json.dumps([{"a": number} for number in range(250_000)]).encode()
    stream = io.BytesIO(content)

    next(json_blocks(JsonFrame(framing="json"), stream, ["a"]))

    assert stream.tell() < len(content) / 2


def test_a_document_above_its_limit_is_refused() -> None:
    frame = JsonFrame(framing="json", max_document_bytes=10)

    with pytest.raises(FileRefused, match="more than 10 bytes"):
        list(json_blocks(frame, io.BytesIO(b'[{"a": 1}, {"a": 2}]'), ["a"]))


def test_a_sheet_is_read_row_by_row_below_what_stands_above_it() -> None:
    book = openpyxl.Workbook()
    for row in [
        ["Statement"],
        ["line", "seconds", "day"],
        ["0044", 61.0, dt.date(2026, 1, 2)],
        [],
        ["0045"],
    ]:
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    content.seek(0)
    frame = SpreadsheetFrame(framing="spreadsheet", skip_lines=1)

    (block,) = spreadsheet_blocks(frame, content, ["day", "line", "missing", "seconds"])

    assert block.columns.rows() == [("2026-01-02T00:00:00", "0044", "61"), (None, "0045", None)]
