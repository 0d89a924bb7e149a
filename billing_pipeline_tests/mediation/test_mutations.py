"""Random harm to records, documents and archives: conserved in records and in quantity.

Harm to bytes (test_framings.py) makes most workbooks and archives unreadable, so here the harm is
also done inside: to records before they are written, to the parts of a workbook, to a file before
it is compressed and after.
"""

import bz2
import gzip
import io
import zipfile
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from random import Random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from billing_pipeline.intake.archive import open_usage
from billing_pipeline.mediation.mediate import mediate
from billing_pipeline.mediation.refusal import FileRefused
from billing_pipeline.mediation.schema import GUIDE
from billing_pipeline.vocabulary.outcome import Outcome
from billing_pipeline_tests.mediation.framings import FRAMINGS, Framing, Record
from billing_pipeline_tests.mediation.framings import records as good_records
from billing_pipeline_tests.mediation.reading import decoded, numbers, records
from billing_pipeline_tests.mediation.test_framings import MUTATIONS, installed_framing, mutated

__all__ = ["installed_framing"]

PLAIN = next(framing for framing in FRAMINGS if framing.name == "plain csv")
WORKBOOK = next(framing for framing in FRAMINGS if framing.name == "spreadsheet")
LINES = {"plain csv", "quoted csv", "backslash csv", "fixed width", "log lines", "plugin"}

every_framing = pytest.mark.parametrize("framing", FRAMINGS, ids=lambda framing: framing.name)
some_harm = given(
    kinds=st.lists(st.sampled_from(MUTATIONS), min_size=1, max_size=3), seed=st.integers(0, 9999)
)


def harmed(rows: list[Record], kind: str, chance: Random) -> list[Record]:
    """The same harm to records: the file around them stays well-formed."""
    at, name = chance.randrange(len(rows)), chance.choice(["id", "user", "amount"])
    row, text = rows[at], rows[at][name]
    place = chance.randrange(len(text) + 1)
    changed = {
        "cut": {**row, name: text[:place]},
        "flip": {**row, name: text[:place] + chance.choice("7xZ") + text[place + 1 :]},
        "glue": {**row, **{key: (row[key] + rows[at - 1][key])[:4] for key in ("id", "user")}},
        "reencode": {**row, "id": row["id"].replace("r", "ü", 1)},
        "insert": {**row, name: text[:place] + chance.choice("9-.e") + text[place:]},
    }
    if kind == "double":
        return [*rows[: at + 1], row, *rows[at + 1 :]]
    if kind == "reorder":
        return chance.sample(rows, len(rows))
    return [*rows[:at], changed[kind], *rows[at + 1 :]]


def amounts(rows: list[Record]) -> Counter[tuple[str, Decimal]]:
    """Identity and quantity of every record whose amount is a number."""
    return Counter(
        (row["id"].strip(), Decimal(row["amount"]))
        for row in rows
        if row["amount"].isascii() and row["amount"].removeprefix("-").isdigit()
    )


def billed(outcome: Outcome) -> Counter[tuple[str, Decimal]]:
    return Counter(outcome.accepted.select("identity", "quantity").rows())


def mediated_all(outcome: Outcome) -> None:
    """Mediation accounts for every accepted record and every unit; it raises if it cannot."""
    day = mediate(outcome.accepted, GUIDE.empty())
    assert records(day) == outcome.accepted.height
    kept = sum((Decimal(part["quantity"].sum() or 0) for part in day), Decimal(0))
    assert kept == Decimal(outcome.accepted["quantity"].sum() or 0)


def assert_records_hold(framing: Framing, kinds: list[str], seed: int) -> None:
    """As many records out as were written, and no quantity that was not in one of them."""
    chance, rows = Random(seed), good_records(8)  # noqa: S311 - a repeatable test
    for kind in kinds:
        # BER octets have no declared encoding: those beyond ASCII are shown as escapes.
        is_shown_otherwise = framing.name == "ber" and kind == "reencode"
        rows = harmed(rows, "cut" if is_shown_otherwise else kind, chance)
    try:
        outcome = decoded(framing.feed, framing.write(rows))
    except FileRefused:
        return
    assert numbers(outcome) == list(range(1, len(rows) + 1))
    assert not billed(outcome) - amounts(rows)
    untouched = [row for row in rows if row in good_records(8)]
    assert not amounts(untouched) - billed(outcome), "a record nobody harmed is not billed"
    mediated_all(outcome)


@every_framing
@settings(max_examples=8)
@some_harm
def test_harmed_records_are_all_there_and_no_quantity_is_invented(
    framing: Framing, kinds: list[str], seed: int
) -> None:
    assert_records_hold(framing, kinds, seed)


@pytest.mark.slow
@every_framing
@settings(max_examples=150)
@some_harm
def test_many_harmed_records_are_all_there(framing: Framing, kinds: list[str], seed: int) -> None:
    assert_records_hold(framing, kinds, seed)


@pytest.mark.parametrize(
    "framing", [one for one in FRAMINGS if one.name in LINES], ids=lambda framing: framing.name
)
@settings(max_examples=8)
@some_harm
def test_harm_to_a_line_invents_no_quantity_elsewhere(
    framing: Framing, kinds: list[str], seed: int
) -> None:
    """Of each harm at most two records may say something else than they did."""
    chance, content = Random(seed), framing.write(good_records(8))  # noqa: S311 - repeatable
    for kind in kinds:
        content = mutated(content, kind, chance)
    try:
        outcome = decoded(framing.feed, content)
    except FileRefused:
        return
    doubled = kinds.count("double")
    strange = billed(outcome) - amounts(good_records(8))
    assert strange.total() <= 2 * (len(kinds) - doubled) + doubled * 3
    mediated_all(outcome)


def inside(workbook: bytes, kinds: list[str], chance: Random) -> bytes:
    """Harm to one part of a workbook, whose archive is whole again afterwards."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook)) as given_parts,
        zipfile.ZipFile(target, "w") as parts,
    ):
        harmed_part = chance.choice(given_parts.namelist())
        for name in given_parts.namelist():
            content = given_parts.read(name)
            for kind in kinds if name == harmed_part else ():
                content = mutated(content, kind, chance)
            parts.writestr(name, content)
    return target.getvalue()


@pytest.fixture(scope="module")
def workbook() -> bytes:
    return WORKBOOK.write(good_records(5))


def assert_workbook_holds(content: bytes) -> None:
    try:
        outcome = decoded(WORKBOOK.feed, content)
    except FileRefused:
        return
    assert numbers(outcome) == list(range(1, records(outcome) + 1))
    assert records(outcome) <= 2 * len(good_records(5))
    mediated_all(outcome)


@pytest.mark.filterwarnings("ignore:.*:UserWarning")
@settings(max_examples=25)
@some_harm
def test_a_workbook_harmed_inside_is_read_or_held_whole(
    workbook: bytes, kinds: list[str], seed: int
) -> None:
    assert_workbook_holds(inside(workbook, kinds, Random(seed)))  # noqa: S311 - a repeatable test


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*:UserWarning")
@settings(max_examples=120)
@some_harm
def test_many_workbooks_harmed_inside_are_read_or_held_whole(
    workbook: bytes, kinds: list[str], seed: int
) -> None:
    assert_workbook_holds(inside(workbook, kinds, Random(seed)))  # noqa: S311 - a repeatable test


def zipped(content: bytes) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("calls.csv", content)
    return target.getvalue()


def zstandard(content: bytes) -> bytes:
    from backports import zstd  # noqa: PLC0415 - an extra

    return zstd.compress(content, options={zstd.CompressionParameter.checksum_flag: 1})


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gz": lambda content: gzip.compress(content, mtime=0),
    "bz2": bz2.compress,
    "zst": zstandard,
    "zip": zipped,
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where one upload after the other lies."""
    return tmp_path_factory.mktemp("packed")


def unpacked(place: Path, suffix: str, content: bytes) -> bytes:
    path = place / f"calls.csv.{suffix}"
    path.write_bytes(content)
    with open_usage(str(path), path.name) as stream:
        return stream.read()


def assert_packed_holds(place: Path, suffix: str, kinds: list[str], seed: int) -> None:
    """Harm before packing is the harm itself; after it, the file is held or read as it was."""
    chance, content = Random(seed), PLAIN.write(good_records(30))  # noqa: S311 - repeatable
    before = mutated(content, kinds[0], chance)
    assert unpacked(place, suffix, PACKED[suffix](before)) == before

    harmed_file = PACKED[suffix](content)
    for kind in kinds:
        harmed_file = mutated(harmed_file, kind, chance)
    try:
        read = unpacked(place, suffix, harmed_file)
    except FileRefused:
        return
    # What nothing in the archive speaks of (a name, a time) may change; content may not.
    whole_members = {content * times for times in range(1 + 2 ** len(kinds))}
    assert read in whole_members | {harmed_file}


@pytest.mark.parametrize("suffix", PACKED)
@settings(max_examples=20)
@example(kinds=["flip"], seed=1951)  # a zip whose member begins before the file
@some_harm
def test_a_harmed_archive_is_held_whole_or_read_as_it_was(
    place: Path, suffix: str, kinds: list[str], seed: int
) -> None:
    assert_packed_holds(place, suffix, kinds, seed)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", PACKED)
@settings(max_examples=120)
@some_harm
def test_many_harmed_archives_are_held_whole_or_read_as_they_were(
    place: Path, suffix: str, kinds: list[str], seed: int
) -> None:
    assert_packed_holds(place, suffix, kinds, seed)
