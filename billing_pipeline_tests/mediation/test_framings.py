"""Every framing: good files load whole, mutated files lose, double and invent nothing."""

from collections.abc import Iterator
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing_pipeline.mediation.framing import blocks
from billing_pipeline.mediation.framing.framing import READERS
from billing_pipeline.mediation.framing.plugins import GROUP
from billing_pipeline.mediation.refusal import FileRefused
from billing_pipeline_tests.mediation.framings import FRAMINGS, Framing
from billing_pipeline_tests.mediation.framings import records as good_records
from billing_pipeline_tests.mediation.reading import decoded, numbers, quantity, records

every_framing = pytest.mark.parametrize("framing", FRAMINGS, ids=lambda framing: framing.name)


@pytest.fixture(scope="module", autouse=True)
def installed_framing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A package whose entry point is the framing `bars` is installed beside the pipeline."""
    place = tmp_path_factory.mktemp("installed")
    metadata = place / "bars-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: bars\nVersion: 1.0\n")
    point = "bars = billing_pipeline_tests.mediation.framings:bars\n"
    (metadata / "entry_points.txt").write_text(f"[{GROUP}]\n{point}")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(place))
        yield


def test_a_framing_that_is_not_installed_is_named_with_those_that_are() -> None:
    frame = {"framing": "plugin", "name": "stripes"}

    with pytest.raises(FileRefused, match="has a framing 'stripes'; installed: bars"):
        decoded(Framing("other", frame, lambda _: b"").feed, b"x")


def test_a_plug_in_takes_the_options_of_the_feed() -> None:
    frame = {"framing": "plugin", "name": "bars", "options": {"delimiter": "/"}}
    content = b"r0/u0/2026-03-02T10:00:00Z/100\nr1|u1|2026-03-02T10:00:00Z|100\n"

    outcome = decoded(Framing("slashes", frame, lambda _: b"").feed, content)

    assert outcome.accepted["identity"].to_list() == ["r0"]
    assert outcome.suspended["reason"].to_list() == ["column_count"]


def test_every_framing_is_under_test_here() -> None:
    assert {framing.frame["framing"] for framing in FRAMINGS} == READERS.keys()


@every_framing
def test_a_good_file_loads_whole(framing: Framing) -> None:
    given_records = good_records(25)

    outcome = decoded(framing.feed, framing.write(given_records))

    accepted = outcome.accepted
    assert accepted["identity"].to_list() == [record["id"] for record in given_records]
    assert accepted["service_identifier"].to_list() == [r["user"] for r in given_records]
    assert quantity(outcome) == sum(Decimal(record["amount"]) for record in given_records)
    assert numbers(outcome) == list(range(1, 26))


@every_framing
def test_a_file_without_records_is_no_error(framing: Framing) -> None:
    assert framing.name in ("parquet", "spreadsheet", "nem12") or not records(
        decoded(framing.feed, b"")
    )


ODD_BYTES = [b'"', b"\0", b"\r", b",", b"\n", b"\xff", b"{", b"<"]
MUTATIONS = ["cut", "flip", "glue", "double", "reorder", "reencode", "insert"]


def mutated(content: bytes, kind: str, chance: Random) -> bytes:
    """One random harm to a file."""
    at = chance.randrange(len(content) or 1)
    lines = content.split(b"\n")
    line = chance.randrange(len(lines))
    harmed = {
        "cut": content[:at],
        "flip": content[:at] + _flipped(content[at : at + 1], chance) + content[at + 1 :],
        "glue": b"\n".join([*lines[:line], b"".join(lines[line : line + 2]), *lines[line + 2 :]]),
        "double": b"\n".join([*lines[: line + 1], lines[line], *lines[line + 1 :]]),
        "reorder": b"\n".join(chance.sample(lines, len(lines))),
        "reencode": content.replace(b"u", "ü".encode("latin-1"), 1),
        "insert": content[:at] + chance.choice(ODD_BYTES) + content[at:],
    }
    return harmed[kind]


def _flipped(byte: bytes, chance: Random) -> bytes:
    return bytes([byte[0] ^ (1 << chance.randrange(8))]) if byte else byte


@every_framing
@settings(deadline=None, max_examples=25)
@given(
    kinds=st.lists(st.sampled_from(MUTATIONS), min_size=1, max_size=3), seed=st.integers(0, 9999)
)
def test_a_mutated_file_loses_doubles_and_invents_nothing(
    framing: Framing, kinds: list[str], seed: int
) -> None:
    chance = Random(seed)  # noqa: S311 - a repeatable test
    content = framing.write(good_records(8))
    for kind in kinds:
        content = mutated(content, kind, chance)

    try:
        outcome = decoded(framing.feed, content)
    except FileRefused:
        return  # held whole: nothing of it is loaded

    assert numbers(outcome) == list(range(1, records(outcome) + 1))
    # A harm to one place touches few records: the others are all there, unchanged.
    untouched = {record["id"] for record in good_records(8)}
    accepted = set(outcome.accepted["identity"].to_list())
    if framing.is_line_based and not {"cut", "reorder"} & set(kinds):
        assert len(untouched - accepted) <= 2 * len(kinds) * (5 if "para" in framing.name else 1)


@every_framing
@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 9999))
def test_the_size_of_blocks_never_changes_the_outcome(framing: Framing, seed: int) -> None:
    if not framing.is_line_based:
        return
    chance = Random(seed)  # noqa: S311 - a repeatable test
    content = framing.write(good_records(8))
    for _ in range(2):
        content = mutated(content, chance.choice(MUTATIONS), chance)
    whole = decoded(framing.feed, content)

    original = blocks.BLOCK_BYTES
    blocks.BLOCK_BYTES = chance.randrange(200, 400)
    try:
        parts = decoded(framing.feed, content)
    finally:
        blocks.BLOCK_BYTES = original

    for one, other in zip(whole, parts, strict=True):
        assert one.equals(other)


@every_framing
@settings(deadline=None, max_examples=20)
@given(content=st.binary(max_size=300))
def test_random_bytes_never_crash_a_reader(framing: Framing, content: bytes) -> None:
    try:
        outcome = decoded(framing.feed, content)
    except FileRefused:
        return

    assert numbers(outcome) == list(range(1, records(outcome) + 1))


@pytest.mark.slow
@every_framing
@settings(deadline=None, max_examples=60)
@given(content=st.binary(max_size=2000), kind=st.sampled_from(MUTATIONS), seed=st.integers(0))
def test_long_random_and_spliced_files_never_crash_a_reader(
    framing: Framing, content: bytes, kind: str, seed: int
) -> None:
    """Noise put into a good file at a random place, then harmed again."""
    chance = Random(seed)  # noqa: S311 - a repeatable test
    good = framing.write(good_records(5))
    at = chance.randrange(len(good))
    spliced = mutated(good[:at] + content + good[at:], kind, chance)
    try:
        outcome = decoded(framing.feed, spliced)
    except FileRefused:
        return

    assert numbers(outcome) == list(range(1, records(outcome) + 1))
