"""The machine a figure was measured on, and how busy it was."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import polars as pl
import psutil

_PACKAGES = ("billing-pipeline", "polars", "dagster", "weasyprint", "duckdb", "typst")


def machine() -> dict[str, str]:
    """Processor, cores, memory and versions."""
    return {
        "processor": _processor(),
        "cores": str(pl.thread_pool_size()),
        "memory_gb": str(round(psutil.virtual_memory().total / 2**30)),
        "system": platform.platform(),
        "python": platform.python_version(),
        **{name: _version(name) for name in _PACKAGES},
    }


def load() -> float:
    """Processes that want a core, on average over the last minute."""
    return round(os.getloadavg()[0], 1)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
