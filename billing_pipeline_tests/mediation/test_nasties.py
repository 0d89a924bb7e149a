"""What real files do: each nasty has a number, and its test is named for its treatment.

`test_nasty_index.py` says where each of them is tested; those of whole files are with intake.
"""

import datetime as dt
import json
from decimal import Decimal

import polars as pl
import pytest
import yaml

from billing_pipeline.catalog.feeds import SequenceNumbers
from billing_pipeline.mediation.framing import blocks
from billing_pipeline.mediation.match import matching_feed, name_facts
from billing_pipeline.mediation.mediate import mediate
from billing_pipeline.mediation.refusal import FileRefused
from billing_pipeline.mediation.schema import GUIDE
from billing_pipeline.mediation.sequences import (
    Delivery,
    Gap,
    NumberedFile,
    sequence_audit,
    superseded_files,
)
from billing_pipeline.vocabulary.outcome import Outcome
from billing_pipeline_tests.mediation.framings import FRAMINGS
from billing_pipeline_tests.mediation.reading import (
    CALLS,
    HEADER,
    call,
    decoded,
    delimited,
    feed,
    numbers,
    quantity,
    reasons,
    records,
    refusal,
)


def one(**changes: str) -> Outcome:
    """A good call and one with changes."""
    return decoded(feed(), HEADER + call(1) + call(2, **changes))


def identities(outcome: Outcome) -> list[str]:
    return outcome.accepted["identity"].to_list()


@pytest.mark.parametrize("content", ["", "\n", "\r\n\r\n", " \n"])
def test_n01_an_empty_file_has_no_records_and_is_no_error(content: str) -> None:
    assert records(decoded(feed(), content)) == 0


def test_n02_a_header_alone_is_accepted_with_no_records() -> None:
    assert records(decoded(feed(), HEADER)) == 0


def test_n03_a_byte_order_mark_is_stripped_also_before_a_quote() -> None:
    assert identities(decoded(feed(), "\ufeff" + HEADER + call(1))) == ["c1"]
    quoted = '\ufeff"id",src,dst,start,secs,result\n'
    assert identities(decoded(feed(), quoted + call(1))) == ["c1"]


def test_n04_utf_16_is_quarantined_unless_the_feed_allows_it() -> None:
    content = (HEADER + call(1)).encode("utf-16")

    with pytest.raises(FileRefused, match="unexpected_encoding"):
        decoded(feed(), content)
    assert records(decoded(delimited(encoding="utf-16"), content)) == 1


def test_n05_mixed_encodings_are_decoded_per_record_and_never_replaced() -> None:
    content = (HEADER + call(1, id="Zoë")).encode() + call(2, id="Zoë").encode("latin-1")

    strict = decoded(feed(), content)
    assert (identities(strict), reasons(strict)) == (["Zoë"], {"invalid_encoding": 1})
    lenient = decoded(delimited(fallback_encoding="cp1252"), content)
    assert lenient.accepted["flags"].to_list() == [None, "fallback_encoding"]


def test_n06_mixed_line_ends_and_no_last_one_are_accepted() -> None:
    lines = [call(number).strip() for number in (1, 2, 3)]

    assert identities(decoded(feed(), HEADER + "{}\r\n{}\r{}".format(*lines))) == ["c1", "c2", "c3"]


def test_n07_a_half_written_line_is_suspended_and_the_good_ones_load() -> None:
    half = decoded(feed(), HEADER + call(1) + "c2,0207946")
    assert (identities(half), reasons(half)) == (["c1"], {"column_count": 1})
    glued = decoded(feed(), HEADER + "c1,0207" + call(2) + call(3))
    assert (identities(glued), records(glued)) == (["c3"], 2)

    # The completed file comes: what was there is a duplicate, the broken record loads.
    whole = decoded(feed(), HEADER + call(1) + call(2)).accepted.with_columns(file_key=pl.lit("w"))
    day = mediate(pl.concat([half.accepted, whole]), GUIDE.empty())
    assert (day.duplicates.height, day.suspended["quantity"].sum()) == (1, Decimal(61 + 62))


def test_n12_old_records_in_a_cumulative_file_have_the_identity_they_had() -> None:
    old = decoded(feed(), HEADER + call(1)).accepted.with_columns(file_key=pl.lit("a"))
    more = decoded(feed(), HEADER + call(1) + call(2)).accepted

    day = mediate(pl.concat([more, old]), GUIDE.empty())

    assert day.duplicates.select("file_key", "reason").rows() == [("f" * 32, "duplicate")]
    assert day.suspended["reason"].to_list() == ["unknown_identifier"] * 2


def test_n13_sequence_gaps_are_listed_and_close_when_the_late_file_comes() -> None:
    seen = [NumberedFile("sw1", 1, "a"), NumberedFile("sw1", 5, "e"), NumberedFile("sw2", 9, "x")]
    assert sequence_audit(seen).gaps == (Gap("sw1", 2, 4),)
    late = [NumberedFile("sw1", number, str(number)) for number in (4, 2, 3)]
    assert sequence_audit([*seen, *late]).gaps == ()
    assert sequence_audit([*seen, NumberedFile("sw1", 5, "other")]).repeated == (("sw1", 5),)


@pytest.mark.parametrize(
    ("numbers", "came", "gaps"),
    [
        pytest.param({"start": 1}, [3, 4], [Gap("sw", 1, 2)], id="a first number"),
        pytest.param({"step": 10}, [10, 50, 20], [Gap("sw", 30, 40, 10)], id="in tens"),
        pytest.param({}, [1, 10**12], [Gap("sw", 2, 10**12 - 1)], id="a clock instead"),
        pytest.param({"start": 1, "last": 99}, [97, 98, 99, 1, 2], [], id="anew after the last"),
        pytest.param({"last": 99}, [98, 99, 0, 2], [Gap("sw", 1, 1)], id="anew at 0"),
        pytest.param(
            {"start": 1, "last": 99},
            [*range(1, 98), 3, 2],
            [Gap("sw", 1, 1), Gap("sw", 98, 99)],
            id="over the end",
        ),
        pytest.param({"last": 99}, [7, 5, 6], [], id="late in a lap"),
    ],
)
def test_n13_numbers_run_as_the_feed_declares(
    numbers: dict[str, int], came: list[int], gaps: list[Gap]
) -> None:
    seen = [NumberedFile("sw", number, str(at)) for at, number in enumerate(came)]

    assert sorted(sequence_audit(seen, SequenceNumbers(**numbers)).gaps) == gaps


@pytest.mark.parametrize(
    ("trailer", "reason"),
    [("", "missing_trailer"), ("TRL,,9,,,\n", "trailer_mismatch"), ("TRL,,2,,,\n", None)],
)
def test_n14_n15_a_wrong_or_missing_trailer_quarantines(trailer: str, reason: str | None) -> None:
    base = feed()
    trailed = feed(
        fields={
            **{name: field.model_dump() for name, field in base.fields.items()},
            "id": {},
            "claimed": {"type": "integer", "source": "dst"},
        },
        records={
            "selector": "id",
            "types": [{"values": ["TRL"], "action": "control"}, {"pattern": "c.*"}],
        },
        checks={"trailer": {"when": "id == 'TRL'", "records": "claimed"}},
    )
    content = HEADER + call(1, dst="112233445566") + call(2, dst="112233445566") + trailer

    if reason is None:
        outcome = decoded(trailed, content)
        assert outcome.filtered["reason"].to_list() == ["control_record"]
        # N02: without records the trailer must say none.
        assert refusal(trailed, HEADER + trailer) == "trailer_mismatch"
        assert records(decoded(trailed, HEADER + "TRL,,0,,,\n")) == 1
    else:
        with pytest.raises(FileRefused, match=reason):
            decoded(trailed, content)


@pytest.mark.parametrize(
    ("totals", "line", "reason"),
    [
        ({"records": "claimed", "quantity": "sum_of"}, "HDR,,3,,186,\n", None),
        ({"records": "claimed", "over": "billable"}, "HDR,,2,,,\n", None),
        ({"quantity": "sum_of", "over": "billable"}, "HDR,,,,123,\n", None),
        ({"amount": "sum_of"}, "HDR,,,,372,\n", None),
        ({"amount": "sum_of"}, "HDR,,,,371,\n", "trailer_mismatch"),
        ({"quantity": "sum_of", "over": "billable"}, "HDR,,,,186,\n", "trailer_mismatch"),
    ],
)
def test_n14_totals_of_a_header_count_what_they_are_declared_to(
    totals: dict[str, str], line: str, reason: str | None
) -> None:
    """Answered calls of 61 and 62 s and a busy one of 63; each is priced at twice its length."""
    base = feed()
    priced = feed(
        fields={
            **{name: field.model_dump() for name, field in base.fields.items()},
            "id": {},
            "claimed": {"type": "integer", "source": "dst"},
            "sum_of": {"type": "integer", "source": "secs"},
        },
        records={
            "selector": "concat(id, coalesce(result, ''))",
            "types": [
                {"values": ["HDR"], "action": "control"},
                {"pattern": "c.*BUSY", "action": "filter", "reason": "not_answered"},
                {"pattern": "c.*"},
            ],
        },
        event={**base.event.model_dump(), "carried_amount": "seconds * 2"},
        checks={"trailer": {"when": "id == 'HDR'", **totals}},
    )
    content = HEADER + line + call(1) + call(2) + call(3, result="BUSY")

    if reason is None:
        assert decoded(priced, content).accepted.height == 2
    else:
        assert refusal(priced, content) == reason


@pytest.mark.parametrize(
    "content",
    [
        "<html><head></head></html>\n" * 30,
        HEADER + "a;b;c\n" * 30,
        "a\tb\n1\t2\n",
        "\x1f\x8bjunk\n1\n",
    ],
    ids=["html", "other delimiter", "other columns", "binary"],
)
def test_n17_a_file_of_another_feed_is_quarantined(content: str) -> None:
    with pytest.raises(FileRefused):
        decoded(feed(), content)


def test_n18_delimiters_quotes_and_line_ends_in_quotes_are_content() -> None:
    outcome = decoded(feed(), HEADER + call(1, id='"a,""\n""b"') + "bad\n")

    assert identities(outcome) == ['a,"\n"b']
    assert outcome.suspended.select("record_number", "detail").row(0) == (
        2,
        "line 4: 1 columns, not 6",
    )


def test_n19_url_encoded_values_are_decoded_where_declared() -> None:
    definition = feed(identity=["id"])
    fields = {name: field.model_dump() for name, field in definition.fields.items()}
    fields["started_at"]["decode"] = "url"

    outcome = decoded(feed(fields=fields), HEADER + call(1, start="2026-03-02%2010%3A00%3A00"))

    assert outcome.accepted["started_at"].to_list() == [dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC)]


def test_n20_a_wrong_number_of_columns_and_a_repeated_key_are_suspended() -> None:
    text = HEADER + call(1) + call(2).strip() + ",x\n" + "c3,1,2\n"
    assert reasons(decoded(feed(), text)) == {"column_count": 2}
    ndjson = next(framing.feed for framing in FRAMINGS if framing.name == "ndjson")
    twice = '{"id":"1","id":"2","user":"u","at":"2026-03-02T10:00:00Z","amount":1}\n'
    assert reasons(decoded(ndjson, twice)) == {"invalid_syntax": 1}


def test_n21_columns_are_mapped_by_name_and_a_missing_one_quarantines() -> None:
    more = HEADER.strip() + ",new\n" + call(1).strip() + ",x\n"
    assert identities(decoded(feed(), more)) == ["c1"]
    known = delimited(header="names", known_columns=[*HEADER.strip().split(","), "old"])
    assert decoded(known, HEADER + call(1)).accepted["flags"].to_list() == [None]
    assert decoded(known, more).accepted["flags"].to_list() == ["new_column"]
    turned = HEADER.strip().split(",")[::-1], call(1).strip().split(",")[::-1]
    assert decoded(feed(), "\n".join(map(",".join, turned))).accepted["quantity"].to_list() == [61]
    with pytest.raises(FileRefused, match="missing_column"):
        decoded(feed(), more.replace("secs", "seconds"))


def test_n22_an_unknown_disposition_is_suspended_never_ignored() -> None:
    assert reasons(one(result="VOICEMAIL")) == {"unknown_record_type": 1}
    assert reasons(one(result="")) == {"unknown_record_type": 1}


def test_n23_control_characters_suspend_and_a_nul_block_is_one_record() -> None:
    assert reasons(one(dst="12\x0034")) == {"control_characters": 1}
    outcome = decoded(feed(), HEADER + call(1) + "\0" * 5000)
    assert (records(outcome), reasons(outcome)) == (2, {"control_characters": 1})


def test_n24_megabyte_fields_and_deep_nesting_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 4096)
    outcome = decoded(
        delimited(max_record_bytes=2048), HEADER + call(1) + "x" * 9000 + "\n" + call(2)
    )
    assert (identities(outcome), reasons(outcome)) == (["c1", "c2"], {"field_too_long": 1})
    deep = '{"id":' + "[" * 100_000 + "]" * 100_000 + "}\n"
    ndjson = next(framing.feed for framing in FRAMINGS if framing.name == "ndjson")
    assert reasons(decoded(ndjson, deep)) == {"invalid_syntax": 1}


@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "@SUM(A1)", "+44", "-1"])
def test_n25_formulas_are_accepted_unchanged(text: str) -> None:
    assert identities(one(id=text)) == ["c1", text]


def test_n26_a_record_repeated_in_its_file_is_a_duplicate_kept_and_counted() -> None:
    outcome = decoded(feed(), HEADER + call(1) + call(2) + call(1))

    mediated = mediate(outcome.accepted, GUIDE.empty())

    assert mediated.duplicates.select("record_number", "reason", "quantity").rows() == [
        (3, "duplicate", Decimal(61))
    ]
    assert sum(part.height for part in mediated) == 3


def test_n34_a_call_over_midnight_and_month_end_is_whole_at_the_instant_it_began() -> None:
    outcome = decoded(feed(), HEADER + call(1, start="2026-03-31 22:59:59", secs="7200"))

    event = outcome.accepted.select("started_at", "quantity").row(0)
    # London is on summer time: an hour before UTC's own midnight, in April for nobody.
    assert event == (dt.datetime(2026, 3, 31, 21, 59, 59, tzinfo=dt.UTC), Decimal(7200))


def test_n29_records_out_of_order_give_the_same_events() -> None:
    ordered = decoded(feed(), HEADER + call(1) + call(2)).accepted.drop("record_number")
    turned = decoded(feed(), HEADER + call(2) + call(1)).accepted.drop("record_number")

    assert turned.sort("identity").equals(ordered.sort("identity"))


def test_n30_n31_late_future_and_epoch_zero_are_told_apart() -> None:
    landed_at = dt.datetime(2026, 3, 3, tzinfo=dt.UTC)
    starts = ["2025-12-24 10:00:00", "2026-03-03 10:00:00", "2026-03-09 10:00:00",
              "1970-01-01 00:00:00", "2136-02-07 06:28:16"]  # fmt: skip
    text = HEADER + "".join(call(n, start=start) for n, start in enumerate(starts))

    outcome = decoded(feed(), text, landed_at=landed_at)

    assert outcome.accepted["flags"].to_list() == ["late", "ahead_of_landing"]
    assert outcome.suspended["reason"].to_list() == ["future_event", "invalid_time", "invalid_time"]


ORDERED = CALLS.replace(
    "  caller:",
    "  ended_at: {type: time, source: end, formats: ['%Y-%m-%d %H:%M:%S'], zone: UTC}\n  caller:",
).replace("zone: Europe/London", "zone: UTC")


@pytest.mark.parametrize(
    ("ended", "flag", "reason"),
    [
        pytest.param("2026-03-02 10:01:00", None, None, id="after"),
        pytest.param("2026-03-02 10:00:00", None, None, id="at once"),
        pytest.param("", None, None, id="no end"),
        pytest.param("2026-03-02 09:59:58", "clock_skew", None, id="as much as is tolerated"),
        pytest.param("2026-03-02 09:59:57", None, "times_out_of_order", id="before it began"),
    ],
)
def test_n31_times_out_of_order_are_flagged_and_far_ones_wait(
    ended: str, flag: str | None, reason: str | None
) -> None:
    definition = feed(ORDERED, checks={"in_order": ["started_at", "ended_at"]})
    line = call(1).rstrip("\n") + f",{ended}\n"

    outcome = decoded(definition, HEADER.rstrip("\n") + ",end\n" + line)

    assert outcome.accepted["flags"].to_list() == ([] if reason else [flag])
    assert reasons(outcome) == ({reason: 1} if reason else {})


def test_n31_an_hour_that_came_twice_is_no_clock_out_of_order() -> None:
    london = ORDERED.replace("zone: UTC", "zone: Europe/London")
    definition = feed(london, checks={"in_order": ["started_at", "ended_at"]})
    line = call(1, start="2026-10-25 01:50:00").rstrip("\n") + ",2026-10-25 01:10:00\n"

    outcome = decoded(definition, HEADER.rstrip("\n") + ",end\n" + line)

    assert "ambiguous_time" in outcome.accepted.item(0, "flags")


def test_n31_only_times_can_be_in_order() -> None:
    with pytest.raises(ValueError, match="in_order names no field of type time 'seconds'"):
        feed(checks={"in_order": ["started_at", "seconds"]})


@pytest.mark.parametrize(
    ("given", "looked_up", "flag"),
    [
        ("AC-7", "AC-7", None), ("Café 7", "Café 7", None),
        ("AC\u200b-7", "AC-7", "odd_characters"), ("\u202eAC-7", "AC-7", "odd_characters"),
        ("AC\u00a0-7", "AC-7", "odd_characters"), ("Cafe\u0301 7", "Café 7", "odd_characters"),
        ("\u0410C-7", "\u0410C-7", "odd_characters"),
    ],
)  # fmt: skip
def test_n44_unseen_characters_are_left_out_of_the_look_up_kept_and_flagged(
    given: str, looked_up: str, flag: str | None
) -> None:
    by_account = yaml.safe_load(CALLS)["event"] | {"service_identifier": "id"}
    outcome = decoded(feed(event=by_account), HEADER + call(1, id=given))

    row = outcome.accepted.row(0, named=True)
    assert (row["service_identifier"], row["flags"]) == (looked_up, flag)
    assert row["identity"] == given


def test_n44_a_number_with_marks_is_read_and_flagged() -> None:
    outcome = one(dst="\u200e+442079460001")

    assert outcome.accepted["destination"].to_list()[1] == "442079460001"
    assert outcome.accepted["flags"].to_list() == [None, "odd_characters"]


@pytest.mark.parametrize(
    ("seconds", "reason"),
    [("-1", "negative_quantity"), ("ten", "invalid_quantity"), ("9" * 30, "invalid_quantity"),
     ("90000", "implausible_quantity"), ("Infinity", "invalid_quantity"), ("0", None),
     ("1.5", None), ("007", None)],
)  # fmt: skip
def test_n32_odd_durations_are_suspended_and_zero_is_accepted(
    seconds: str, reason: str | None
) -> None:
    outcome = decoded(feed(checks={"max_quantity": 86400}), HEADER + call(1, secs=seconds))

    assert reasons(outcome) == ({} if reason is None else {reason: 1})


def test_n33_unanswered_calls_are_filtered_with_their_reason() -> None:
    outcome = one(result="BUSY", secs="")

    assert outcome.filtered["reason"].to_list() == ["not_answered"]


@pytest.mark.parametrize(
    ("start", "expected", "flag"),
    [
        ("2026-10-25 01:30:00", "2026-10-25 00:30:00", "ambiguous_time"),
        ("2026-03-29 01:30:00", "2026-03-29 01:30:00", "nonexistent_time"),
        ("2026-07-01 01:30:00", "2026-07-01 00:30:00", None),
    ],
)
def test_n35_local_times_at_clock_changes_follow_the_declared_rule(
    start: str, expected: str, flag: str | None
) -> None:
    event = one(start=start).accepted.row(1, named=True)

    assert event["started_at"] == dt.datetime.fromisoformat(expected).replace(tzinfo=dt.UTC)
    assert event["flags"] == flag


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+44 (0)20 7946 0001", "442079460001"), ("0044-20-7946-0001", "442079460001"),
        ("02079460001", "442079460001"), ("442079460001", "442079460001"),
        ("2079460001", "442079460001"),
        ("sip:+442079460001@example.com;user=phone", "442079460001"),
        ("tel:+33-1-42-00-00-00", "33142000000"), ("33142000000", "33142000000"),
        ("101", "101"), ("Anonymous", "Anonymous"), ("\u200e+442079460001", "442079460001"),
    ],
)  # fmt: skip
def test_n37_n44_numbers_are_read_in_the_numbering_context(number: str, expected: str) -> None:
    assert one(dst=number).accepted["destination"].to_list()[1] == expected


def test_n37_an_access_code_is_taken_off() -> None:
    definition = feed(
        numbers={"country": "US", "access_code": "9", "international_prefixes": ["011"]}
    )

    outcome = decoded(
        definition, HEADER + call(1, dst="92125550100") + call(2, dst="9011442079460001")
    )

    assert outcome.accepted["destination"].to_list() == ["12125550100", "442079460001"]


@pytest.mark.parametrize(
    ("text", "given_format", "zone"),
    [
        ("02/03/26 10:00", "%d/%m/%y %H:%M", "UTC"), ("03/02/2026 10:00", "%m/%d/%Y %H:%M", "UTC"),
        ("1772445600", "epoch_s", "UTC"), ("1772445600000", "epoch_ms", "UTC"),
        ("1772445600000000", "epoch_us", "UTC"), ("2026-03-02T11:00:00+01:00", "iso8601", "UTC"),
        ("Mon, 02 Mar 2026 10:00:00 GMT", "rfc2822", "UTC"),
        ("2026-03-02 05:00:00", "%Y-%m-%d %H:%M:%S", "America/New_York"),
        ("46083.416666666664", "excel_serial", "UTC"),
        ("20260302-100000", "%Y%m%d-%H%M%S", "UTC"),
    ],
)  # fmt: skip
def test_n38_formats_and_zones_are_declared_never_guessed(
    text: str, given_format: str, zone: str
) -> None:
    fields = {name: field.model_dump() for name, field in feed().fields.items()}
    fields["started_at"] |= {"formats": [given_format], "zone": zone}

    outcome = decoded(feed(fields=fields), HEADER + call(1, start=f'"{text}"'))

    assert abs(
        outcome.accepted["started_at"][0] - dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC)
    ) < dt.timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("text", "locale", "expected"),
    [
        ("1.234,56", {"decimal": ",", "thousands": "."}, "1234.56"),
        ("0,1175", {"decimal": ","}, "0.1175"), ("1,234.5", {"thousands": ","}, "1234.5"),
        ("€ 12.50", {"symbols": ["€"]}, "12.50"), ("12.5-", {}, "-12.5"),
        ("0.000000800004", {}, "0.0000008000"), ("0.00000000005", {}, "0.0000000001"),
        ("12,34,5.6", {"thousands": ","}, None), ("1.2.3", {}, None), ("12 500", {}, None),
    ],
)  # fmt: skip
def test_n39_decimals_are_read_in_the_declared_locale_exactly(
    text: str, locale: dict[str, object], expected: str | None
) -> None:
    fields = {name: field.model_dump() for name, field in feed().fields.items()}
    fields["seconds"] = {"type": "decimal", "source": "secs", **locale}
    definition = feed(fields=fields, checks={"negative_quantity": "accept"})

    outcome = decoded(definition, HEADER + call(1, secs=f'"{text}"'))

    if expected is None:
        assert reasons(outcome) == {"invalid_quantity": 1}
    else:
        assert outcome.accepted["quantity"].to_list() == [Decimal(expected)]


def test_n41_test_and_internal_calls_are_filtered_by_rule() -> None:
    definition = feed(filters=[
        {"when": "starts_with(called, '4420794600')", "reason": "test_call"},
        {"when": "length(called) <= 4", "reason": "internal_call"},
    ])  # fmt: skip
    text = HEADER + call(1) + call(2, dst="02079460099") + call(3, dst="101")

    outcome = decoded(definition, text)

    assert outcome.filtered["reason"].to_list() == ["test_call", "internal_call"]


@pytest.mark.parametrize("nothing", ["NULL", "\\N", "-", "N/A"])
def test_n42_declared_words_for_nothing_are_null_and_required_ones_suspend(nothing: str) -> None:
    outcome = decoded(
        feed(null=["", "NULL", "\\N", "-", "N/A"]), HEADER + call(1) + call(2, id=nothing)
    )

    assert reasons(outcome) == {"missing_required": 1}


@pytest.mark.parametrize("text", ["18446744073709551615", "9223372036854775808"])
def test_n43_integers_beyond_signed_64_bits_are_exact(text: str) -> None:
    ndjson = next(framing.feed for framing in FRAMINGS if framing.name == "ndjson")
    record = {"id": "1", "user": "u", "at": "2026-03-02T10:00:00Z", "amount": int(text)}

    assert quantity(decoded(ndjson, json.dumps(record))) == Decimal(text)


def test_n45_identity_holds_what_the_feed_declares() -> None:
    outcome = decoded(feed(identity=["id", "started_at"]), HEADER + call(1) + call(1))

    assert identities(outcome) == ["c1/2026-03-02 10:00:00"] * 2


@pytest.mark.parametrize("damaged", ["4.42079E+11", "4,42079E+11"])
def test_n46_numbers_a_spreadsheet_has_mangled_are_suspended(damaged: str) -> None:
    assert reasons(one(dst=f'"{damaged}"')) == {"mangled_number": 1}


@pytest.mark.parametrize("name", ["Calls 1.csv", "-calls.CSV.GZ", "calls\n.csv", "CALLS-ü.csv.gz"])
def test_n47_odd_file_names_match_by_text_alone(name: str) -> None:
    definition = feed(match={"file_name": r".*calls.*\.csv"})

    assert matching_feed(name, [definition]) is definition
    assert matching_feed("other.txt", [definition]) is None


def test_names_carry_source_sequence_period_and_version() -> None:
    definition = feed(match={
        "file_name": r"(?P<source>\w+)_(?P<sequence>\d+)_(?P<period>\d{6})_(?P<version>\d+)\.csv"
    })  # fmt: skip

    facts = name_facts("sw1_0042_202603_2.csv.gz", definition)

    assert (facts.source, facts.sequence, facts.period, facts.version) == ("sw1", 42, "202603", "2")


def test_a_later_delivery_replaces_the_files_of_its_period() -> None:
    deliveries = [
        Delivery("a", "2026-03", "1"), Delivery("c", "2026-03", "3"), Delivery("b", "2026-03", "2"),
        Delivery("d", "2026-04", "1"),
    ]  # fmt: skip

    assert superseded_files(deliveries) == {"a", "b"}


def test_every_record_keeps_its_number_among_all_kinds_of_trouble() -> None:
    lines = [call(n) for n in range(12)]
    lines[2], lines[4], lines[6] = "bad\n", call(4, result="BUSY"), '"open,' + lines[6]
    lines[8] = call(8, id='"a\nb"')

    outcome = decoded(feed(), HEADER + "".join(lines))

    assert numbers(outcome) == list(range(1, 13))
    assert outcome.suspended["record_number"].to_list() == [3, 7]
    assert outcome.filtered["record_number"].to_list() == [5]
