"""A flow whose runs go side by side: in this process and in one beside it.

A tenant's run waits for nobody else's, nor a usage day for another, as under the daemon, where
each run is a process.
"""

import datetime as dt
import multiprocessing
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from functools import cache
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

import dagster as dg

from billing_pipeline.orchestration.flow import Flow, run_job
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.instance import open_instance

_P = ParamSpec("_P")
_T = TypeVar("_T")
_Tags = dict[str, str]
LoadDefinitions = Callable[[], dg.Definitions]


class SideBySideFlow(Flow):
    """Runs jobs of several tenants two at a time. Use as a context manager.

    The process beside reads the same environment, so it opens the same installation; the
    definitions it loads by the function given, which it must be able to import.
    """

    def __init__(
        self, installation: Installation, instance: dg.DagsterInstance, definitions: LoadDefinitions
    ) -> None:
        super().__init__(installation, instance, definitions())
        self._definitions = definitions
        # Not a fork: it would copy locks that Polars' threads hold.
        self._beside = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
        self._waits = ThreadPoolExecutor(1)
        self._beside.submit(_opened, definitions)

    def __enter__(self) -> Self:
        """Open as it is."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let the process beside end."""
        self._waits.shutdown()
        self._beside.shutdown()

    def beside(self, do: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> "Future[_T]":
        """Do something else in the process beside."""
        return self._beside.submit(do, *args, **kwargs)

    def _parts(self, days: Sequence[dt.date]) -> list[Sequence[dt.date]]:
        earlier, later = days[: len(days) // 2], days[len(days) // 2 :]
        return [part for part in (earlier, later) if part]

    def _run_each(self, job: str, spans: Sequence[_Tags]) -> None:
        waiting = deque(spans)
        beside = self._waits.submit(_take, waiting, lambda tags: self._run_beside(job, tags))
        _take(waiting, lambda tags: self._run(job, tags))
        beside.result()

    def _run_beside(self, job: str, tags: _Tags) -> None:
        self._beside.submit(_run_here, self._definitions, job, tags).result()


def _take(waiting: deque[_Tags], run: Callable[[_Tags], None]) -> None:
    """Run what waits until nothing does; after a failure nothing more is begun."""
    while (tags := _next(waiting)) is not None:
        try:
            run(tags)
        except BaseException:
            waiting.clear()
            raise


def _next(waiting: deque[_Tags]) -> _Tags | None:
    """What waits first. Asking before taking would race with the other thread."""
    try:
        return waiting.popleft()
    except IndexError:
        return None


def _run_here(definitions: LoadDefinitions, job: str, tags: _Tags) -> None:
    run_job(*_opened(definitions), job, tags)


@cache
def _opened(definitions: LoadDefinitions) -> tuple[dg.DagsterInstance, dg.Definitions]:
    return open_instance(Installation.from_environment()), definitions()
