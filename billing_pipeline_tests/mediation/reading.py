"""Short ways to decode text with a feed in tests."""

import datetime as dt
import io
from collections import Counter
from decimal import Decimal

import polars as pl
import pytest
import yaml

from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.intake.shipped_feeds import shipped_feeds
from billing_pipeline.mediation.decode import decode_blocks
from billing_pipeline.mediation.refusal import FileRefused
from billing_pipeline.mediation.schema import RAW_USAGE, SET_ASIDE, SUSPENSE
from billing_pipeline.vocabulary.outcome import Outcome

CALLS = """
key: calls
name: Calls of a small switch
match: {file_name: 'calls.*'}
frame: {framing: delimited, header: names}
fields:
  id: {required: true}
  started_at: {type: time, source: start, formats: ["%Y-%m-%d %H:%M:%S"], zone: Europe/London}
  caller: {type: phone, source: src}
  called: {type: phone, source: dst}
  seconds: {type: duration, source: secs}
  result: {}
numbers: {country: GB}
identity: [id]
records:
  selector: result
  types:
    - {values: [ANSWERED], action: usage}
    - {values: [BUSY, NO ANSWER], action: filter, reason: not_answered}
event:
  usage_type: voice
  service_identifier: caller
  direction: outbound
  origin: caller
  destination: called
  started_at: started_at
  quantity: seconds
  unit: s
"""

HEADER = "id,src,dst,start,secs,result\n"


def feed(text: str = CALLS, **changes: object) -> Feed:
    """The feed of a YAML text, with top-level parts replaced."""
    return Feed.model_validate({**yaml.safe_load(text), **changes})


def delimited(**dialect: object) -> Feed:
    """The small switch in another dialect."""
    return feed(frame={"framing": "delimited", **dialect})


def call(number: int, **changes: str) -> str:
    """One line of the small switch."""
    parts = {
        "id": f"c{number}",
        "src": "02079460001",
        "dst": "+33142000000",
        "start": "2026-03-02 10:00:00",
        "secs": str(60 + number),
        "result": "ANSWERED",
        **changes,
    }
    return ",".join(parts.values()) + "\n"


def decoded(
    definition: Feed, content: bytes | str, *, landed_at: dt.datetime | None = None
) -> Outcome:
    """The whole file as one outcome."""
    text = content.encode() if isinstance(content, str) else content
    outcomes = list(decode_blocks(definition, io.BytesIO(text), "f" * 32, landed_at=landed_at))
    return Outcome(
        pl.concat([RAW_USAGE.empty(), *(one.accepted for one in outcomes)]),
        pl.concat([SUSPENSE.empty(), *(one.suspended for one in outcomes)]),
        pl.concat([SET_ASIDE.empty(), *(one.duplicates for one in outcomes)]),
        pl.concat([SET_ASIDE.empty(), *(one.filtered for one in outcomes)]),
    )


def reasons(outcome: Outcome) -> Counter[str]:
    """How many records are in suspense for which reason."""
    return Counter(outcome.suspended["reason"].to_list())


def records(outcome: Outcome) -> int:
    """Records of an outcome, wherever they went."""
    return sum(part.height for part in outcome)


def numbers(outcome: Outcome) -> list[int]:
    """All record numbers of an outcome, sorted."""
    return sorted(number for part in outcome for number in part["record_number"].to_list())


def quantity(outcome: Outcome) -> Decimal:
    """Total quantity of the accepted records."""
    return Decimal(outcome.accepted["quantity"].sum() or 0)


def shipped_feed(key: str) -> Feed:
    """One of the feeds that come with the pipeline."""
    return shipped_feeds()[key]


def refusal(definition: Feed, content: bytes | str) -> str:
    """Why a file is held whole."""
    with pytest.raises(FileRefused) as refused:
        decoded(definition, content)
    return refused.value.reason.value
