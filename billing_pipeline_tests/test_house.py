"""The house rules that no linter knows."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1]
SOURCE = HOUSE / "billing_pipeline"
TESTS = HOUSE / "billing_pipeline_tests"
MODULES = sorted(SOURCE.rglob("*.py"))
ROOMS = sorted(path for path in SOURCE.iterdir() if (path / "__init__.py").exists())
MODULE_LINES = 300
FUNCTION_LINES = 60
ROOM_README_LINES = 60
PER_ROW = re.compile(r"\.map_elements\(|\.iter_rows\(|\.to_dicts\(|\.apply\(lambda")
FORBIDDEN_NAMES = {"utils", "helpers", "common", "misc", "manager"}
FORBIDDEN_WORDS = {
    "organisation_id": "tenant_key",
    "quarantine table": "suspense",
    "dead letter": "suspense",
    "call record": "cdr or usage_event",
    "tariff plan": "plan",
    "free minutes": "included units",
}
FLOATS = re.compile(r"pl\.Float(32|64)|\bfloat\(")
# Floats that are not money: a plot in the UI, seconds of a benchmark.
FLOATS_ALLOWED = {"orchestration/metadata.py"}
CONTRACT_ROOMS = {
    "catalog",
    "customers",
    "mediation",
    "rating",
    "billing",
    "invoicing",
    "receivables",
    "accounting",
    "assurance",
}


def name_of(path: Path) -> str:
    return str(path.relative_to(SOURCE))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_modules_are_small_rooms() -> None:
    too_long = {
        name_of(path): lines
        for path in MODULES
        if (lines := len(path.read_text().splitlines())) > MODULE_LINES
    }

    assert too_long == {}


def test_functions_fit_on_a_screen() -> None:
    too_long = {
        f"{name_of(path)}:{node.name}": node.end_lineno - node.lineno
        for path in MODULES
        for node in functions(path)
        if node.end_lineno is not None and node.end_lineno - node.lineno > FUNCTION_LINES
    }

    assert too_long == {}


def test_no_python_runs_per_row() -> None:
    assert [name_of(path) for path in MODULES if PER_ROW.search(path.read_text())] == []


def test_no_float_comes_near_money() -> None:
    floats = {name_of(path) for path in MODULES if FLOATS.search(path.read_text())}

    assert floats - FLOATS_ALLOWED == set()


def test_no_module_is_named_for_nothing() -> None:
    assert [name_of(path) for path in MODULES if path.stem in FORBIDDEN_NAMES] == []


@pytest.mark.parametrize("word", FORBIDDEN_WORDS)
def test_one_term_per_concept(word: str) -> None:
    found = [name_of(path) for path in MODULES if word in path.read_text().lower()]

    assert found == [], f"say {FORBIDDEN_WORDS[word]}"


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_every_room_says_what_it_owns(room: Path) -> None:
    readme = room / "README.md"

    assert readme.exists()
    assert len(readme.read_text().splitlines()) <= ROOM_README_LINES


@pytest.mark.parametrize("room", sorted(CONTRACT_ROOMS))
def test_every_pure_room_declares_the_frames_it_hands_on(room: str) -> None:
    assert "FrameSchema(" in (SOURCE / room / "schema.py").read_text()


def test_every_module_is_used() -> None:
    texts = {path: path.read_text() for path in [*MODULES, *sorted(TESTS.rglob("*.py"))]}
    everything = "\n".join([*texts.values(), (HOUSE / "pyproject.toml").read_text()])
    dead = []
    for path in MODULES:
        dotted = "billing_pipeline." + name_of(path).removesuffix(".py").replace("/", ".")
        package, _, stem = dotted.rpartition(".")
        imported = f"from {package} import"
        used = dotted in everything or re.search(
            rf"{re.escape(imported)}[^\n]*\b{stem}\b|{re.escape(imported)} \([^)]*\b{stem}\b",
            everything,
        )
        if path.stem != "__init__" and not used and dotted != "billing_pipeline.definitions":
            dead.append(dotted)

    assert dead == []


def test_clock_is_read_in_one_place() -> None:
    reads = re.compile(r"datetime\.now\(|date\.today\(|time\.time\(")
    found = [name_of(path) for path in MODULES if reads.search(path.read_text())]

    assert found == ["orchestration/clock.py"]


def test_every_test_asserts_something() -> None:
    empty = []
    for path in sorted(TESTS.rglob("test_*.py")):
        for node in functions(path):
            if not node.name.startswith("test_"):
                continue
            text = ast.unparse(node)
            if "assert" not in text and "raises" not in text:
                empty.append(f"{path.name}:{node.name}")

    assert empty == []
