"""A flow whose tenants' runs go side by side: in this process and in one beside it.

A tenant's run waits for nobody else's, as under the daemon, where each run is a process.
"""

import multiprocessing
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from types import TracebackType
from typing import Self

import dagster as dg

from billing_pipeline.orchestration.flow import Flow, run_job
from billing_pipeline.orchestration.installation import Installation
from billing_pipeline.orchestration.instance import open_instance

_Tags = dict[str, str]


class SideBySideFlow(Flow):
    """Runs jobs of several tenants two at a time. Use as a context manager.

    The process beside reads the same environment, so it opens the same installation.
    """

    def __init__(
        self, installation: Installation, instance: dg.DagsterInstance, defs: dg.Definitions
    ) -> None:
        super().__init__(installation, instance, defs)
        # Not a fork: it would copy locks that Polars' threads hold.
        self._beside = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
        self._waits = ThreadPoolExecutor(1)
        self._beside.submit(_opened)

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

    def _run_each(self, job: str, spans: Sequence[_Tags]) -> None:
        waiting = deque(spans)
        beside = self._waits.submit(_take, waiting, lambda tags: self._run_beside(job, tags))
        _take(waiting, lambda tags: self._run(job, tags))
        beside.result()

    def _run_beside(self, job: str, tags: _Tags) -> None:
        self._beside.submit(_run_here, job, tags).result()


def _take(waiting: deque[_Tags], run: Callable[[_Tags], None]) -> None:
    """Run what waits until nothing does; after a failure nothing more is begun."""
    with suppress(IndexError):
        while tags := waiting.popleft():
            try:
                run(tags)
            except BaseException:
                waiting.clear()
                raise


def _run_here(job: str, tags: _Tags) -> None:
    instance, defs = _opened()
    run_job(instance, defs, job, tags)


@cache
def _opened() -> tuple[dg.DagsterInstance, dg.Definitions]:
    from billing_pipeline.definitions import defs  # noqa: PLC0415 - imports all there is

    return open_instance(Installation.from_environment()), defs
