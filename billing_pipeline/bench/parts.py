"""The parts of the bench: what each measures, at the size of a scale, as figures of a budget."""

import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path

from billing_pipeline.bench.contest import Figure, Taken
from billing_pipeline.bench.contestant import run_alone
from billing_pipeline.bench.curves import curve_figures, measure_curves
from billing_pipeline.bench.documents import TWICE
from billing_pipeline.bench.plot import curves_svg
from billing_pipeline.bench.start_up import COMMANDS, seconds_to_start
from billing_pipeline.bench.usage import (
    contestants,
    measure_usage,
    must_agree,
    take_alone,
    usage_figures,
)
from billing_pipeline.bench.usage_files import Size, generate

_HELP_S, _IMPORT_S, _TICK_S = 0.3, 3.0, 5.0
_BILL_S, _BILL_AGAIN_S = 120.0, 30.0
_PAGES_RATIO, _OVERHEAD, _LINEAR = 3.0, 1.2, 1.2
_BUDGET_ACCOUNTS = 100_000


@dataclass(frozen=True)
class Scale:
    """How much each part does."""

    usage: Size
    month: Size
    dagster: Size
    small_tenants: int
    small_days: int
    bill_accounts: int
    documents: int
    plain_documents: int
    files: int
    most_events: int


SCALES = {
    "small": Scale(
        usage=Size(events=500_000),
        month=Size(events=500_000, days=31),
        dagster=Size(events=200_000, accounts=20_000),
        small_tenants=3,
        small_days=7,
        bill_accounts=5_000,
        documents=60,
        plain_documents=10,
        files=2_000,
        most_events=10**6,
    ),
    "budget": Scale(
        usage=Size(events=10_000_000, days=10),
        month=Size(events=30_000_000, days=31),
        dagster=Size(events=1_000_000),
        small_tenants=20,
        small_days=31,
        bill_accounts=_BUDGET_ACCOUNTS,
        documents=1_000,
        plain_documents=40,
        files=10_000,
        most_events=10**7,
    ),
    "full": Scale(
        usage=Size(events=10_000_000, days=10),
        month=Size(events=100_000_000, days=31),
        dagster=Size(events=1_000_000),
        small_tenants=20,
        small_days=31,
        bill_accounts=_BUDGET_ACCOUNTS,
        documents=10_000,
        plain_documents=40,
        files=10_000,
        most_events=10**8,
    ),
}
"""`small` is minutes; `budget` the sizes of the budgets but for the longest; `full` all of them."""


@dataclass(frozen=True)
class Measured:
    """What a part came to: its figures, what every run took, and pictures by file name."""

    figures: list[Figure]
    runs: dict[str, object]
    pictures: dict[str, str]


def _usage(scale: Scale) -> Measured:
    taken = measure_usage(scale.usage, contestants(with_baselines=True))
    figures = usage_figures(scale.usage, taken)
    return Measured(figures, {"size": asdict(scale.usage), **taken}, {})


def _month(scale: Scale) -> Measured:
    """A month's usage rated again in a single run, against our stages over few days."""
    taken = {
        "usage": take_alone("ours", scale.usage),
        "month": take_alone("reprocess", scale.month),
    }
    stages = sum(taken["usage"]["wall_s"].values()) / scale.usage.events
    each = {name: s / scale.month.events for name, s in taken["month"]["wall_s"].items()}
    memory = taken["month"]["peak_mb"] / taken["usage"]["peak_mb"]
    growth = f"{scale.month.events:,} events, to the stages' over {scale.usage.events:,}"
    again = f"reprocess in one run, an event's time of {growth}"
    whole = f"from the file through Dagster, an event's time of {growth}"
    figures = [
        Figure(3, again, each["reprocess"] / stages, "x", most=_LINEAR),
        Figure(3, whole, each["from the file"] / stages, "x"),
        Figure(3, f"peak memory of {growth}", memory, "x", most=_LINEAR),
    ]
    return Measured(figures, {"size": asdict(scale.month), **taken}, {})


def _dagster(scale: Scale) -> Measured:
    names = ("ours", "steps", "dagster")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        inputs = generate(scale.dagster, Path(folder))
        taken = {name: run_alone(name, inputs.folder) for name in names}
        must_agree(inputs, names)
    whole = {name: sum(one["wall_s"].values()) for name, one in taken.items()}
    stages = whole["ours"] - taken["ours"]["wall_s"]["totals"]
    figures = [
        Figure(2, "Dagster / pure stages", whole["dagster"] / stages, "x", most=_OVERHEAD),
        Figure(2, "Dagster / the same steps without it", whole["dagster"] / whole["steps"], "x"),
    ]
    return Measured(figures, {"size": asdict(scale.dagster), **taken}, {})


def _small_days(scale: Scale) -> Measured:
    """What a partition costs by itself: a few calls a day of every tenant, then the bills."""
    size = (str(scale.small_tenants), str(scale.small_days))
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        taken = {
            way: run_alone("small_days", Path(folder), way, *size) for way in ("steps", "dagster")
        }
    seconds = {way: one["wall_s"] for way, one in taken.items()}
    whole = {way: sum(phases.values()) for way, phases in seconds.items()}
    days = scale.small_tenants * scale.small_days
    figures = [
        Figure(8, "a tenant's day of usage", seconds["dagster"]["usage"] / days, "s"),
        Figure(8, "a tenant's bill run", seconds["dagster"]["bill"] / scale.small_tenants, "s"),
        Figure(8, "Dagster / the same steps without it", whole["dagster"] / whole["steps"], "x"),
    ]
    return Measured(figures, {"size": size, **taken}, {})


def _bill_run(scale: Scale) -> Measured:
    taken = _alone("bill_run", scale.bill_accounts)
    again = sum(s for name, s in taken["wall_s"].items() if name.startswith("again: "))
    first = sum(taken["wall_s"].values()) - again - taken["wall_s"]["apply"]
    is_budget = scale.bill_accounts == _BUDGET_ACCOUNTS
    what = f"{scale.bill_accounts:,} accounts"
    figures = [
        Figure(4, f"bill run, {what}", first, "s", most=_BILL_S if is_budget else None),
        Figure(4, f"the same again, {what}", again, "s", most=_BILL_AGAIN_S if is_budget else None),
    ]
    return Measured(figures, {"bill_run": taken}, {})


def _documents(scale: Scale) -> Measured:
    taken = {
        "documents": _alone("documents", scale.documents),
        "documents_plain": _alone("documents_plain", scale.plain_documents),
    }
    if find_spec("typst") is not None:
        taken["documents_typst"] = _alone("documents_typst", scale.plain_documents)
    phases = {"documents": "workers", "documents_plain": "plain loop", "documents_typst": "typst"}
    pages = {
        name: one["counts"]["pages"] / one["wall_s"][phases[name]] for name, one in taken.items()
    }
    plain = pages["documents_plain"]
    per_document = {
        name: taken[name]["processor_s"][phase] / documents
        for name, phase, documents in (
            ("documents", "one process", TWICE),
            ("documents_plain", "plain loop", scale.plain_documents),
        )
    }
    processor = per_document["documents_plain"] / per_document["documents"]
    figures = [
        Figure(5, "pages a second / plain loop", pages["documents"] / plain, "x",
               least=_PAGES_RATIO),
        Figure(5, f"peak memory of {scale.documents:,} documents",
               taken["documents"]["peak_mb"], "MB"),
        Figure(5, "processor time a document, plain loop / one process of ours", processor, "x"),
        *(Figure(5, f"pages a second, {name}", each, "pages/s") for name, each in pages.items()),
    ]  # fmt: skip
    return Measured(figures, dict(taken), {})


def _start_up(scale: Scale) -> Measured:
    seconds = {name: seconds_to_start(code) for name, code in COMMANDS.items()}
    most = dict(zip(COMMANDS, (_HELP_S, _IMPORT_S), strict=True))
    tick = _alone("register", scale.files)
    figures = [Figure(6, name, taken, "s", most=most[name]) for name, taken in seconds.items()]
    figures += [
        Figure(6, f"{name} of the sensor, {scale.files:,} files", taken, "s", most=_TICK_S)
        for name, taken in tick["wall_s"].items()
    ]
    return Measured(figures, {"register": tick}, {})


def _curves(scale: Scale) -> Measured:
    curves = measure_curves(scale.most_events)
    runs: dict[str, object] = {curve.name: asdict(curve) for curve in curves}
    return Measured(curve_figures(curves), runs, {"curves.svg": curves_svg(curves)})


def _alone(name: str, count: int) -> Taken:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        return run_alone(name, Path(folder), str(count))


PARTS: dict[str, Callable[[Scale], Measured]] = {
    "usage": _usage,
    "dagster": _dagster,
    "month": _month,
    "small-days": _small_days,
    "bill-run": _bill_run,
    "documents": _documents,
    "start-up": _start_up,
    "curves": _curves,
}
"""By the name a person types; in the order of the budgets."""
