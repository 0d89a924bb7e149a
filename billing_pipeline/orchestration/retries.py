"""Storage may be away for a moment and is tried again; business failures never are."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg

from billing_pipeline.books.database import STORAGE_FAULTS

_TRIES = 3
_SECONDS = 5


@contextmanager
def storage_faults_retried() -> Iterator[None]:
    """Ask Dagster for another try on faults of disk, network or Postgres, and only on those."""
    try:
        yield
    except (OSError, *STORAGE_FAULTS) as fault:
        raise dg.RetryRequested(max_retries=_TRIES, seconds_to_wait=_SECONDS) from fault
