"""Real files load with exactly the counts and sums of an independent reader: csv, json, xml.

Formats that no shipped feed is for are read by a definition alone, written here.
"""

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

import pytest
import yaml

from billing_pipeline.catalog.feeds import Feed
from billing_pipeline_tests.mediation.reading import decoded, records, refusal, shipped_feed

OURS = Path(__file__).parent / "samples"
REPOSITORY = Path(__file__).parents[2]
SHARED = next(
    (
        above / "shared" / "samples"
        for above in REPOSITORY.parents
        if (above / "shared" / "samples").is_dir()
    ),
    REPOSITORY / "shared",
)


def content(path: Path) -> bytes:
    """The file as its feed reads it: unpacked."""
    raw = path.read_bytes()
    if path.suffix == ".gz":
        return gzip.decompress(raw)
    if path.suffix == ".zip":
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            return archive.read(archive.namelist()[0])
    return raw


class Count(NamedTuple):
    """What a file holds: billable records and their quantity, the rest, and money in it."""

    accepted: int
    quantity: Decimal
    filtered: int = 0
    suspended: int = 0
    amount: Decimal = Decimal(0)


def rows(text: bytes, delimiter: str = ",") -> list[list[str]]:
    return [row for row in csv.reader(io.StringIO(text.decode()), delimiter=delimiter) if row]


def named(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"))))


def total(texts: list[str]) -> Decimal:
    """Exact, each rounded to ten places as amounts are kept."""
    ten = Decimal(1).scaleb(-10)
    return sum((Decimal(text).quantize(ten, "ROUND_HALF_UP") for text in texts), Decimal(0))


def asterisk(text: bytes) -> Count:
    """Calls below zero seconds are bad, and one that was answered days before it began."""
    calls = rows(text)
    answered = [row for row in calls if row[14] == "ANSWERED"]
    good = [row[13] for row in answered if int(row[13]) >= 0 and row[9] <= row[10] <= row[11]]
    return Count(len(good), total(good), len(calls) - len(answered), len(answered) - len(good))


def flatstore(text: bytes) -> Count:
    answered = [row for row in rows(text, "|") if row[4] == "200"]
    return Count(len(answered), Decimal(0), len(rows(text, "|")) - len(answered))


def quoted_flatstore(text: bytes) -> Count:
    billed = [row for row in rows(text) if row[1] in ("INVITE", "BYE")]
    return Count(len(billed), Decimal(0), len(rows(text)) - len(billed))


def call_document(text: bytes) -> Count:
    variables = json.loads(text)["variables"]
    return Count(1, Decimal(variables["billsec"]))


def focus(text: bytes) -> Count:
    costs = named(text)
    both = [(row["ConsumedQuantity"], row["PricingQuantity"], "1") for row in costs]
    used = [next(text for text in given if text != "NULL") for given in both]
    return Count(len(costs), total(used), amount=total([row["BilledCost"] for row in costs]))


def azure(text: bytes) -> Count:
    costs = named(text)
    used = total([row["Quantity"] for row in costs])
    return Count(len(costs), used, amount=total([row["Cost"] for row in costs]))


def green_button(text: bytes) -> Count:
    readings = ET.fromstring(text).iter("{http://naesb.org/espi}IntervalReading")  # noqa: S314 - our own sample
    values = [reading.findtext("{http://naesb.org/espi}value") or "" for reading in readings]
    return Count(len(values), total(values))


def meter(text: bytes) -> Count:
    """Every value of whole interval days; a day of another number of values is one bad record."""
    minutes, values, bad = 30, list[str](), 0
    for row in rows(text):
        count = 1440 // minutes
        if row[0] == "200":
            minutes = int(row[8])
        elif row[0] == "250":
            values.append(row[18])
        elif row[0] == "300" and row[2 + count : 3 + count] in (["A"], ["V"], ["S14"]):
            values += row[2 : 2 + count]
        elif row[0] == "300":
            bad += 1
    return Count(len(values), total(values), suspended=bad)


def short_lists(text: bytes) -> Count:
    """ ", "-separated: seconds billed are the fifth of eight values."""
    calls = [line.split(", ") for line in text.decode().splitlines()]
    answered = [row[4] for row in calls if row[5] == "16"]
    return Count(len(answered), total(answered), len(calls) - len(answered))


def dispositions(text: bytes) -> Count:
    calls = rows(text)
    whole = [row for row in calls if len(row) == 7]
    answered = [row[4] for row in whole if row[2] == "ANSWER"]
    return Count(
        len(answered), total(answered), len(whole) - len(answered), len(calls) - len(whole)
    )


def ten_seconds(text: bytes) -> Count:
    return Count(len(rows(text)), total([row[13].removesuffix("s") for row in rows(text)]))


def commented(text: bytes) -> Count:
    calls = [row for row in rows(text, ";") if not row[0].startswith("#")]
    return Count(len(calls), total([row[6] for row in calls]))


def mobile(text: bytes) -> Count:
    calls = [row["call_duration"] for row in named(text) if row["interaction"] == "call"]
    return Count(len(calls), total(calls), len(named(text)) - len(calls))


def nothing(_: bytes) -> Count:
    return Count(0, Decimal(0))


EVENT = {
    "usage_type": "voice",
    "service_identifier": "caller",
    "started_at": "started_at",
    "quantity": "seconds",
    "unit": "s",
}


def definition(text: str) -> Feed:
    """A feed by a few lines of YAML, as a user writes it."""
    head = {"key": "sample", "name": "Sample", "match": {"file_name": ".*"}, "event": EVENT}
    return Feed.model_validate({**head, **yaml.safe_load(text)})


SHORT_LISTS = """
frame: {framing: delimited, header: none,
        columns: [caller, name, called, duration, billsec, cause, uuid, start]}
fields:
  caller: {}
  seconds: {type: duration, source: billsec}
  uuid: {required: true}
  cause: {}
  started_at: {type: time, source: start, formats: [epoch_s]}
identity: [uuid]
records:
  selector: cause
  types:
    - {values: ["16"], action: usage}
    - {values: ["15", "17"], action: filter, reason: not_answered}
"""
DISPOSITIONS = """
frame: {framing: delimited, header: none,
        columns: [caller, called, disposition, duration, billsec, account, start]}
fields:
  caller: {}
  seconds: {type: duration, source: billsec}
  disposition: {}
  started_at: {type: time, source: start, formats: ["%Y-%m-%d %H:%M:%S"], zone: UTC}
records:
  selector: disposition
  types:
    - {values: [ANSWER], action: usage}
    - {values: [BUSY, NOANSWER, NOROUTE], action: filter, reason: not_answered}
"""
QUOTED_FLATSTORE = """
frame: {framing: delimited, header: none,
        columns: [id, method, from_tag, to_tag, callid, code, reason, time, src_user, src_uri,
                  src_ip, a, contact, dst_user, dst, dst_ip, leg, note]}
fields:
  id: {required: true}
  method: {}
  caller: {source: src_user}
  callid: {required: true}
  started_at: {type: time, source: time, formats: ["%Y-%m-%d %H:%M:%S"], zone: UTC}
identity: [id]
records:
  selector: method
  types:
    - {values: [INVITE, BYE], action: usage}
    - {values: [ACK, CANCEL], action: control}
assemble: {key: callid, mode: span, first_when: method == 'INVITE', last_when: method == 'BYE'}
event: {usage_type: voice, service_identifier: caller, started_at: started_at, quantity: 0, unit: s}
"""
TEN_SECONDS = """
frame: {framing: delimited, header: none,
        columns: [id, run, tor, origin, request, direction, tenant, category, account, caller,
                  called, setup, answer, usage, cost, x1, x2, x3]}
fields:
  id: {required: true}
  caller: {}
  seconds: {type: duration, source: usage, format: suffixed}
  started_at: {type: time, source: answer, formats: ["%Y-%m-%d %H:%M:%S %z UTC"]}
identity: [id]
"""
COMMENTED = """
frame: {framing: delimited, header: none, delimiter: ";", comment_prefix: "#",
        columns: [id, request, tenant, caller, called, start, secs, x1, x2, x3]}
fields:
  id: {required: true}
  caller: {}
  seconds: {type: duration, source: secs}
  started_at: {type: time, source: start, formats: ["%Y-%m-%d %H:%M:%S"], zone: UTC}
identity: [id]
"""
MOBILE = """
frame: {framing: delimited, header: names}
fields:
  interaction: {}
  caller: {source: correspondent_id}
  seconds: {type: duration, source: call_duration}
  started_at: {type: time, source: datetime, formats: ["%Y-%m-%d %H:%M:%S"], zone: UTC}
records:
  selector: interaction
  types:
    - {values: [call], action: usage}
    - {values: [text], action: filter, reason: not_billable}
"""

CASES: list[tuple[str, str, Callable[[bytes], Count]]] = [
    ("asterisk/fafeitsch_smallcdr.csv", "asterisk_cdr", asterisk),
    ("asterisk/jbilling_asterisk-sample1.csv", "asterisk_cdr", asterisk),
    ("asterisk/jbilling_asterisk-sample2.csv", "asterisk_cdr", asterisk),
    ("freeswitch/cdrstats_import_cdr_100.txt", SHORT_LISTS, short_lists),
    ("freeswitch/cdrstats_import_voipcall_report.txt", DISPOSITIONS, dispositions),
    ("freeswitch/cgrates_fs_json_cdr.json", "freeswitch_json", call_document),
    ("cucm/sieteunoseis_cdr_header_and_type_rows_only.txt", "cisco_cucm", nothing),
    ("kamailio/cgrates_flatstore_full.psv", "kamailio_acc", flatstore),
    ("kamailio/cgrates_flatstore_missed.psv", "kamailio_acc", flatstore),
    ("kamailio/cgrates_flatstore_quoted_csv.csv", QUOTED_FLATSTORE, quoted_flatstore),
    ("fixedwidth/cgrates_generic_comma.csv", TEN_SECONDS, ten_seconds),
    ("fixedwidth/cgrates_generic_semicolon_comments.csv", COMMENTED, commented),
    ("cloud/focus_1.0_sample.csv.gz", "focus", focus),
    ("cloud/azure_EA_ActualCost_Small.csv", "azure_ea", azure),
    ("meter/greenbutton_test_usage_data_01.xml", "green_button", green_button),
    ("meter/NEM12#000000000000001#CNRGYMDP#NEMMCO.zip", "nem12", meter),
    ("meter/NEM12#01010_05030502#WBAYM#NEMMCO.zip", "nem12", meter),
    ("meter/NEM12#Scenario06#ETSAMDP#NEMMCO.zip", "nem12", meter),
    ("meter/nem12#S01#INTEGM#NEMMCO.zip", "nem12", meter),
    ("meter/NEM13#000000000000011#CNRGYMDP#NEMMCO.zip", "nem12", meter),
    ("meter/NEM13#Scenario11#ETSAMDP#NEMMCO.zip", "nem12", meter),
    ("meter/invalid_Example_NEM12_30min_200_15min_300.csv", "nem12", meter),
    ("meter/invalid_Example_NEM12_incomplete_interval.csv", "nem12", meter),
    ("meter/invalid_Example_empty_file.csv", "nem12", nothing),
    ("mobile/bandicoot_A.csv", MOBILE, mobile),
]


def sample(name: str) -> bytes:
    """A sample of the repository, or one that may not be copied into it, where it lies."""
    ours, shared = OURS / Path(name).name, SHARED / name
    if not ours.exists() and not shared.exists():
        pytest.skip(
            "the sample's licence keeps it out of the repository; it is not on this machine"
        )
    return content(ours if ours.exists() else shared)


@pytest.mark.parametrize(("name", "feed", "read"), CASES, ids=[case[0] for case in CASES])
def test_a_real_file_loads_as_an_independent_reader_counts_it(
    name: str, feed: str, read: Callable[[bytes], Count]
) -> None:
    text = sample(name)

    outcome = decoded(definition(feed) if "\n" in feed else shipped_feed(feed), text)

    accepted = outcome.accepted
    found = Count(
        accepted.height,
        Decimal(accepted["quantity"].sum() or 0),
        outcome.filtered.height,
        outcome.suspended.height,
        Decimal(accepted["carried_amount"].sum() or 0),
    )
    expected = read(text)
    assert found == expected
    assert records(outcome) == expected.accepted + expected.filtered + expected.suspended


@pytest.mark.parametrize(
    ("name", "feed", "reason"),
    [
        ("meter/invalid_Example_NEM12_powercor.csv", "nem12", "missing_header"),
        ("cucm/sieteunoseis_sample_cdr.txt", "cisco_cucm", "missing_column"),
    ],
)
def test_a_real_file_that_lacks_its_head_is_held_whole(name: str, feed: str, reason: str) -> None:
    assert refusal(shipped_feed(feed), sample(name)) == reason


def test_every_sample_of_usage_is_read_here() -> None:
    held = {"invalid_Example_NEM12_powercor.csv", "sieteunoseis_sample_cdr.txt", "ATTRIBUTION.md"}
    ours = {path.name for path in OURS.iterdir()}

    assert ours <= {Path(name).name for name, _, _ in CASES} | held
