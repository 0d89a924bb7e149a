import multiprocessing
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest

from billing_pipeline.documents.batch import DocumentNotRendered, render_documents, worker_pool
from billing_pipeline.documents.render import invoice_pdf
from billing_pipeline_tests.documents.builders import credit_note, small_invoice


@pytest.mark.pdf
def test_workers_give_the_same_bytes_in_the_order_given() -> None:
    documents = [small_invoice(), credit_note(), replace(small_invoice(), invoice_number="INV-2")]

    rendered = list(render_documents(iter(documents), workers=2))

    assert rendered == [(document.invoice_number, invoice_pdf(document)) for document in documents]


@pytest.mark.pdf
def test_a_process_started_by_another_ends_when_it_has_rendered() -> None:
    process = multiprocessing.get_context("spawn").Process(target=render_one)
    process.start()
    process.join(timeout=60)

    ended = process.exitcode
    process.kill()
    assert ended == 0


@pytest.mark.pdf
def test_workers_end_with_the_process_that_is_killed() -> None:
    context = multiprocessing.get_context("spawn")
    workers = context.Queue()
    process = context.Process(target=render_and_wait, args=(workers,))
    process.start()
    worker = workers.get(timeout=60)

    process.kill()

    until = time.monotonic() + 20
    while is_running(worker) and time.monotonic() < until:
        time.sleep(0.1)
    assert not is_running(worker)


def render_and_wait(workers: "multiprocessing.Queue[int]") -> None:
    render_one()
    workers.put(worker_pool(1).submit(os.getpid).result())
    time.sleep(60)


def is_running(process_id: int) -> bool:
    status = Path(f"/proc/{process_id}/stat")
    return status.exists() and status.read_text().split()[2] != "Z"


def render_one() -> None:
    assert len(list(render_documents([small_invoice()], workers=1))) == 1


@pytest.mark.pdf
def test_a_document_that_fails_is_named() -> None:
    broken = replace(small_invoice(), locale="xx_nowhere")

    with pytest.raises(DocumentNotRendered, match="INV-2026-000001: LocaleUnknown"):
        list(render_documents([broken], workers=1))


def test_no_documents_are_no_work() -> None:
    assert list(render_documents([], workers=0)) == []
