"""One small feed and one good file per framing: what tests of all framings run over."""

import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO

import polars as pl

from billing_pipeline.catalog.feeds import Feed
from billing_pipeline.mediation.framing.blocks import FramedBlock
from billing_pipeline.mediation.framing.rows import Row, row_blocks
from billing_pipeline_tests.mediation.ber_files import ber

EVENT = {
    "usage_type": "data",
    "service_identifier": "user",
    "started_at": "at",
    "quantity": "amount",
    "unit": "byte",
}
FIELDS: dict[str, dict[str, object]] = {
    "id": {"required": True},
    "user": {},
    "at": {"type": "time", "formats": ["iso8601", "%Y-%m-%d %H:%M:%S", "%Y%m%d%H%M%S"]},
    "amount": {"type": "integer"},
}
Record = dict[str, str]


def records(count: int) -> list[Record]:
    """Plain records; amounts are 100, 101, 102 ..."""
    return [
        {"id": f"r{n}", "user": f"u{n % 3}", "at": f"2026-03-02T10:00:{n % 60:02}Z",
         "amount": str(100 + n)}
        for n in range(count)
    ]  # fmt: skip


@dataclass(frozen=True)
class Framing:
    """A framing under test: its frame, and how a good file of it is written."""

    name: str
    frame: Mapping[str, object]
    write: Callable[[list[Record]], bytes]
    is_line_based: bool = True
    places: Mapping[str, str] = field(default_factory=dict)

    @property
    def feed(self) -> Feed:
        """The small feed in this framing."""
        return Feed.model_validate(
            {
                "key": self.name.replace(" ", "_"),
                "name": self.name,
                "match": {"file_name": ".*"},
                "frame": self.frame,
                "fields": {
                    name: {**spec, "source": self.places.get(name, name)}
                    for name, spec in FIELDS.items()
                },
                "identity": ["id"],
                "event": EVENT,
            }
        )


def _lines(write: Callable[[Record], str]) -> Callable[[list[Record]], bytes]:
    return lambda given: "".join(write(record) + "\n" for record in given).encode()


def _csv(record: Record) -> str:
    return ",".join(record.values())


def _quoted(record: Record) -> str:
    return ",".join(f'"{value}"' for value in record.values())


def _parquet(given: list[Record]) -> bytes:
    target = io.BytesIO()
    pl.DataFrame(given).with_columns(pl.col("amount").cast(pl.Int64, strict=False)).write_parquet(
        target
    )
    return target.getvalue()


def _spreadsheet(given: list[Record]) -> bytes:
    import pandas as pd  # noqa: PLC0415 - slow to import

    target = io.BytesIO()
    pd.DataFrame(given).to_excel(target, index=False)
    return target.getvalue()


def _xml(given: list[Record]) -> bytes:
    def element(record: Record) -> str:
        return "<r>" + "".join(f"<{k}>{v}</{k}>" for k, v in record.items()) + "</r>"

    return ("<file xmlns='urn:x'><list>" + "".join(map(element, given)) + "</list></file>").encode()


def _elements(record: Record) -> list[tuple[int, bytes]]:
    return [(tag, value.encode()) for tag, value in enumerate(record.values(), start=10)]


def _meter_reads(given: list[Record]) -> bytes:
    """NEM13: a read is a line between its header and its end."""

    def read(record: Record) -> str:
        began = "".join(mark for mark in record["at"] if mark.isdigit())
        head = f"250,{record['user']},11,1,11,,{record['id']},E,0,{began},A,,,0,{began},A,,,"
        return f"{head}{record['amount']},KWH,20260601,20260520113808,"

    lines = ["100,NEM13,202603231213,SENDER,RECEIVER", *map(read, given), "900"]
    return "".join(f"{line}\n" for line in lines).encode()


def bars(
    options: Mapping[str, object], stream: IO[bytes], wanted: list[str]
) -> Iterator[FramedBlock]:
    """A framing of another package: values between bars, as many as there are columns."""
    columns = list(WIDTHS)
    delimiter = str(options.get("delimiter", "|"))

    def row(line: str) -> Row:
        values = line.split(delimiter)
        if len(values) != len(columns):
            return Row((None,) * len(wanted), line, "column_count", f"{len(values)} values")
        named = dict(zip(columns, values, strict=True))
        return Row(tuple(named.get(name) for name in wanted), line)

    lines = stream.read().decode("utf-8", "backslashreplace").split("\n")
    return row_blocks((row(line) for line in lines if line), wanted)


WIDTHS = {"id": 6, "user": 4, "at": 20, "amount": 10}
FIXED = {
    "framing": "fixed_width",
    "layouts": [
        {
            "prefix": "r",
            "columns": [
                {"name": name, "start": 1 + sum(list(WIDTHS.values())[:at]), "length": width}
                for at, (name, width) in enumerate(WIDTHS.items())
            ],
        }
    ],
}
COLUMNS = list(WIDTHS)
PLAIN = {"framing": "delimited", "header": "none", "columns": COLUMNS}

FRAMINGS = [
    Framing("plain csv", PLAIN, _lines(_csv)),
    Framing("quoted csv", PLAIN, _lines(_quoted)),
    Framing(
        "backslash csv",
        {**PLAIN, "delimiter": ";", "escape": "backslash"},
        _lines(lambda record: ";".join(record.values()).replace("u", "\\u")),
    ),
    Framing("fixed width", FIXED, _lines(
        lambda record: "".join(record[name].ljust(width) for name, width in WIDTHS.items())
    )),
    Framing("ndjson", {"framing": "ndjson"}, _lines(json.dumps)),
    Framing(
        "log lines",
        {"framing": "log_lines",
         "pattern": r"^USE id=(?P<id>\S+) user=(?P<user>\S+) at=(?P<at>\S+) n=(?P<amount>\S+)$",
         "control": ["^Log (begins|ends)"]},
        _lines(lambda r: f"USE id={r['id']} user={r['user']} at={r['at']} n={r['amount']}"),
    ),
    Framing("paragraphs", {"framing": "paragraphs"}, _lines(
        lambda record: "Mon Mar  2 10:00:00 2026\n"
        + "".join(f'\t{name} = "{value}"\n' for name, value in record.items())
    )),
    Framing("json", {"framing": "json", "records": "list"},
            lambda given: json.dumps({"list": given}).encode(), is_line_based=False),
    Framing("xml", {"framing": "xml", "records": "list/r"}, _xml, is_line_based=False),
    Framing("parquet", {"framing": "parquet"}, _parquet, is_line_based=False),
    Framing("spreadsheet", {"framing": "spreadsheet"}, _spreadsheet, is_line_based=False),
    Framing(
        "ber",
        {"framing": "ber", "records": ["1/2"]},
        lambda given: ber([(1, [(2, _elements(record)) for record in given])]),
        is_line_based=False,
        places={"id": "10", "user": "11", "at": "12", "amount": "13"},
    ),
    Framing(
        "nem12",
        {"framing": "nem12"},
        _meter_reads,
        is_line_based=False,
        places={"id": "serial", "user": "nmi", "at": "started_at", "amount": "value"},
    ),
    Framing("plugin", {"framing": "plugin", "name": "bars"}, _lines(
        lambda record: "|".join(record.values())
    ), is_line_based=False),
]  # fmt: skip
