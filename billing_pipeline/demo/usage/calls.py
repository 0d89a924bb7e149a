"""Calls as three systems write them: an agent desk, Asterisk and FreeSWITCH."""

import phonenumbers
import polars as pl

from billing_pipeline.demo.usage.draw import (
    OFFICE_HOURS,
    ROUND_THE_CLOCK,
    Rng,
    Span,
    draw_events,
    pick,
    seconds,
)
from billing_pipeline.demo.usage.lines import (
    BILLABLE,
    FILTERED,
    MALFORMED,
    UNKNOWN,
    FeedLines,
    Shares,
    delimited,
)

_ABROAD = ("US", "DE", "FR", "IE", "ES", "NL", "IN", "PL", "AU", "IT", "PK", "AE", "ZA", "JP", "BR")
# Ofcom keeps these ranges for drama; three more digits make a number.
_BRITISH = {
    "01134960": 14.0,
    "01614960": 14.0,
    "02079460": 14.0,
    "07700900": 22.0,
    "+447700900": 12.0,
    "08081570": 3.0,
    "09098790": 0.4,
}
_AGENTS = [f"A{number:03d}" for number in range(1, 41)]

ASTERISK_UNKNOWN, FREESWITCH_UNKNOWN, AGENT_CALLS_UNKNOWN = "nl-9999", "442079460999", "18005550199"
"""Identifiers nobody owns: what the unknown share of records carries."""


def agent_calls(
    rng: Rng, owners: pl.DataFrame, span: Span, events: int, shares: Shares
) -> FeedLines:
    """Calls agents handled, by the toll-free number dialled."""
    drawn = _with_trouble(rng, owners, span, OFFICE_HOURS, events, shares, AGENT_CALLS_UNKNOWN)
    size = drawn.height
    answered = pick(rng, ["MESSAGE", "TRANSFER", "APPOINTMENT", "ORDER"], [5, 3, 2, 1], size)
    missed = pick(rng, ["ABANDONED", "NO ANSWER", "TEST"], [6, 3, 1], size)
    is_missed = pl.col("kind") == FILTERED
    frame = drawn.with_columns(
        work_s=pl.when(is_missed).then(0).otherwise(seconds(rng, size, median=85, spread=0.7) + 10),
        outcome=pl.when(is_missed).then(missed).otherwise(answered),
        agent=pick(rng, _AGENTS, [1.0] * len(_AGENTS), size),
        ani=pl.format("{}555{}", _area_codes(rng, size), _digits(rng, size, 4)),
        local=pl.col("at").dt.convert_time_zone(span.zone.key),
    ).with_row_index("number", offset=1)
    columns = (
        pl.format("MC-{}-{}", pl.col("local").dt.strftime("%y%m%d"), _padded("number", 7)),
        pl.format("({}) {}-{}", *_cut(pl.col("identifier").str.slice(1), 3, 3, 4)),
        pl.col("ani"),
        pl.col("local").dt.strftime("%m/%d/%Y %H:%M:%S"),
        pl.col("work_s").cast(pl.String),
        pl.col("outcome"),
        pl.col("agent"),
        pl.lit("Greeting, take message"),
    )
    quoted = (*columns[:7], pl.format('"{}"', columns[7]))
    header = "call_id,dnis,ani,answered,work_s,outcome,agent_id,script"
    return delimited(frame, quoted, header=header, time_cell=3, quantity_cell=4)


def asterisk(rng: Rng, owners: pl.DataFrame, span: Span, events: int, shares: Shares) -> FeedLines:
    """Master.csv: quoted text, bare integers, no header."""
    drawn = _with_trouble(rng, owners, span, ROUND_THE_CLOCK, events, shares, ASTERISK_UNKNOWN)
    frame = _phone_calls(rng, drawn, span)
    size = frame.height
    missed = pick(rng, ["NO ANSWER", "BUSY", "FAILED"], [6, 3, 1], size)
    is_missed = pl.col("kind") == FILTERED
    frame = frame.with_columns(
        extension=pl.format("2{}", _digits(rng, size, 2)),
        disposition=pl.when(is_missed).then(missed).otherwise(pl.lit("ANSWERED")),
    )
    stamp = "%Y-%m-%d %H:%M:%S"
    answer = (
        pl.when(is_missed)
        .then(pl.lit(""))
        .otherwise(pl.format('"{}"', pl.col("answered_local").dt.strftime(stamp)))
    )
    extension = pl.col("extension")
    columns = (
        pl.format('"{}"', "identifier"),
        pl.format('"{}"', extension),
        pl.format('"{}"', "called"),
        pl.lit('"outbound"'),
        pl.format('"""Desk {}"" <{}>"', extension, extension),
        pl.format('"PJSIP/{}-{}"', extension, _padded("number", 8)),
        pl.format('"PJSIP/carrier-{}"', _padded("number", 8)),
        pl.lit('"Dial"'),
        pl.format('"PJSIP/{}@carrier,60,tT"', "called"),
        pl.format('"{}"', pl.col("local").dt.strftime(stamp)),
        answer,
        pl.format('"{}"', pl.col("ended_local").dt.strftime(stamp)),
        pl.col("duration").cast(pl.String),
        pl.col("billsec").cast(pl.String),
        pl.format('"{}"', "disposition"),
        pl.lit('"DOCUMENTATION"'),
        pl.format('"{}.{}"', pl.col("at").dt.epoch("s"), "number"),
        pl.lit('""'),
    )
    return delimited(frame, columns, header=None, time_cell=9, quantity_cell=13)


def freeswitch(
    rng: Rng, owners: pl.DataFrame, span: Span, events: int, shares: Shares
) -> FeedLines:
    """mod_cdr_csv's default template under a header line."""
    drawn = _with_trouble(rng, owners, span, OFFICE_HOURS, events, shares, FREESWITCH_UNKNOWN)
    frame = _phone_calls(rng, drawn, span)
    missed = pick(rng, ["NO_ANSWER", "USER_BUSY", "ORIGINATOR_CANCEL"], [5, 3, 2], frame.height)
    is_missed = pl.col("kind") == FILTERED
    frame = frame.with_columns(
        cause=pl.when(is_missed).then(missed).otherwise(pl.lit("NORMAL_CLEARING"))
    )
    stamp = "%Y-%m-%d %H:%M:%S"
    answered = (
        pl.when(is_missed).then(pl.lit("")).otherwise(pl.col("answered_local").dt.strftime(stamp))
    )
    caller = pl.format("0{}", pl.col("identifier").str.slice(2))
    texts = (
        caller,
        caller,
        pl.col("called"),
        pl.lit("public"),
        pl.col("local").dt.strftime(stamp),
        answered,
        pl.col("ended_local").dt.strftime(stamp),
        pl.col("duration").cast(pl.String),
        pl.col("billsec").cast(pl.String),
        pl.col("cause"),
        pl.format("5f0e{}-7a1c-4f7e-9b3d-{}", _digits(rng, frame.height, 4), _padded("number", 12)),
        pl.lit("PCMA"),
    )
    cells = tuple(pl.format('"{}"', text) for text in texts)
    header = (
        "caller_id_name,caller_id_number,destination_number,context,start_stamp,answer_stamp,"
        "end_stamp,duration,billsec,hangup_cause,uuid,read_codec"
    )
    return delimited(frame, cells, header=header, time_cell=4, quantity_cell=8)


def _with_trouble(
    rng: Rng,
    owners: pl.DataFrame,
    span: Span,
    hours: tuple[int, ...],
    events: int,
    shares: Shares,
    unknown: str,
) -> pl.DataFrame:
    """Billable, unanswered, unknown and malformed calls with their kind, in order of time."""
    wanted = {
        BILLABLE: events,
        FILTERED: round(events * shares.filtered),
        UNKNOWN: round(events * shares.unknown),
        MALFORMED: round(events * shares.malformed),
    }
    parts = [
        draw_events(rng, owners, span, hours, size).with_columns(kind=pl.lit(kind))
        for kind, size in wanted.items()
    ]
    nobody = pl.when(pl.col("kind") == UNKNOWN).then(pl.lit(unknown))
    drawn = pl.concat(parts).with_columns(nobody.otherwise("identifier").alias("identifier"))
    return drawn.sort("at", "identifier", "kind", maintain_order=True)


def _phone_calls(rng: Rng, drawn: pl.DataFrame, span: Span) -> pl.DataFrame:
    """Outbound calls: the number dialled, ring and talk time, local start, answer and end."""
    size = drawn.height
    ring = pl.Series("ring", rng.integers(2, 25, size))
    talk = seconds(rng, size, median=110, spread=1.0)
    is_missed = pl.col("kind") == FILTERED
    local = pl.col("at").dt.convert_time_zone(span.zone.key)
    return (
        drawn.with_columns(ring, called=_called(rng, size))
        .with_columns(billsec=pl.when(is_missed).then(0).otherwise(talk), local=local)
        .with_columns(duration=pl.col("ring") + pl.col("billsec"))
        .with_columns(
            answered_local=pl.col("local") + pl.duration(seconds="ring"),
            ended_local=pl.col("local") + pl.duration(seconds="duration"),
        )
        .with_row_index("number", offset=1)
    )


def _called(rng: Rng, size: int) -> pl.Series:
    """Numbers as people dial them in Britain, from ranges kept for drama and examples."""
    stems = {**_BRITISH, **_abroad()}
    chosen = pick(rng, list(stems), list(stems.values()), size)
    return (chosen + _digits(rng, size, 3)).alias("called")


def _abroad() -> dict[str, float]:
    """Example numbers of other countries but for their last three digits, with their weight."""
    stems = {}
    for region in _ABROAD:
        for kind in (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE):
            example = phonenumbers.example_number_for_type(region, kind)
            if example is not None:
                stems[f"00{example.country_code}{example.national_number}"[:-3]] = 0.7
    return stems


def _area_codes(rng: Rng, size: int) -> pl.Series:
    codes = ["203", "212", "401", "413", "518", "603", "617", "646", "802", "860"]
    return pick(rng, codes, [1.0] * len(codes), size)


def _digits(rng: Rng, size: int, count: int) -> pl.Series:
    return pl.Series(rng.integers(0, 10**count, size)).cast(pl.String).str.zfill(count)


def _padded(name: str, width: int) -> pl.Expr:
    return pl.col(name).cast(pl.String).str.zfill(width)


def _cut(text: pl.Expr, *lengths: int) -> list[pl.Expr]:
    starts = [sum(lengths[:position]) for position in range(len(lengths))]
    return [text.str.slice(start, length) for start, length in zip(starts, lengths, strict=True)]
