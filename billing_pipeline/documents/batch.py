"""Many documents: rendered by worker processes, in order, with bounded memory."""

import gc
import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache
from multiprocessing.process import BaseProcess
from multiprocessing.util import Finalize

from billing_pipeline.documents.template_sets import TemplateSet, default_template_set
from billing_pipeline.invoicing.document import InvoiceDocument

DOCUMENTS_PER_WORKER = 500
"""A worker is replaced after this many: what rendering libraries leak goes with it."""

_AHEAD = 4
_BEFORE_QUEUES = 100
"""Queues are closed at 10; by then no worker can be told to end."""
_RENDERER = "billing_pipeline.documents.render"


class DocumentNotRendered(Exception):
    """One document failed; it is named, so that it can be mended and rendered again."""


def render_documents(
    documents: Iterable[InvoiceDocument],
    workers: int,
    templates: TemplateSet | None = None,
) -> Iterator[tuple[str, bytes]]:
    """Render to PDF in `workers` processes; 0 renders in this one.

    Yields invoice number and PDF in the order given. At most four documents a worker are under
    way, so that memory does not grow with the bill run.
    Raises: DocumentNotRendered with the number of the document and the cause.
    """
    chosen = templates or default_template_set()
    if workers == 0:
        with _standing_objects_left_alone():
            for document in documents:
                yield document.invoice_number, _rendered(document, chosen)
        return
    pool = worker_pool(workers)
    under_way: deque[tuple[str, Future[bytes]]] = deque()
    for document in documents:
        under_way.append((document.invoice_number, pool.submit(_rendered, document, chosen)))
        if len(under_way) >= workers * _AHEAD:
            yield _finished(under_way)
    while under_way:
        yield _finished(under_way)


@contextmanager
def _standing_objects_left_alone() -> Iterator[None]:
    """Have the collector look for garbage among new objects only.

    Looking through everything a process has loaded took half as long as a small document.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@cache
def worker_pool(workers: int) -> ProcessPoolExecutor:
    """The workers of this process, kept for the next bill day.

    They are forked from one server that has imported what rendering needs, which takes seconds,
    and nothing else: a fork of this process would copy locks that Polars' threads hold.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([_RENDERER])
    pool = ProcessPoolExecutor(
        max_workers=workers,
        mp_context=context,
        initializer=_start_worker,
        max_tasks_per_child=DOCUMENTS_PER_WORKER,
    )
    # A process that was itself started by another joins its children before it ends pools, and
    # would wait for ever for workers that wait for work.
    Finalize(None, pool.shutdown, exitpriority=_BEFORE_QUEUES)
    return pool


def _start_worker() -> None:
    hold_collector()
    if parent := multiprocessing.parent_process():
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: BaseProcess) -> None:
    """End when the process does that started us: killed, it can tell nobody, and we would wait."""
    parent.join()
    os._exit(1)


def hold_collector() -> None:
    """Let garbage be collected between documents only, and never in what workers keep.

    A document is a web of boxes that all die together: looking for garbage in the middle of it
    costs a fifth of the time and finds none.
    """
    gc.collect()
    gc.freeze()
    gc.disable()


def _finished(under_way: deque[tuple[str, Future[bytes]]]) -> tuple[str, bytes]:
    number, future = under_way.popleft()
    return number, future.result()


def _rendered(document: InvoiceDocument, templates: TemplateSet) -> bytes:
    # Importing it takes a second: whoever only hands out work, or loads definitions, does not.
    from billing_pipeline.documents.render import invoice_pdf  # noqa: PLC0415

    try:
        return invoice_pdf(document, templates)
    except Exception as error:  # noqa: BLE001 - re-raised with the document's number
        # The cause crosses a process boundary: only its words are sure to arrive.
        message = f"{document.invoice_number}: {type(error).__name__}: {error}"
        raise DocumentNotRendered(message) from None
    finally:
        gc.collect()
