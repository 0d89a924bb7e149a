"""Make the next item while the caller still works on this one."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def one_ahead(items: Iterator[Item]) -> Iterator[Item]:
    """The same items in the same order, each made while its caller works on the one before.

    Holds one item more than the caller. Decoding and writing are each in part a single pass on
    one core, so that side by side they keep two busy.
    Raises: what `items` raises, where it would have.
    """
    with ThreadPoolExecutor(1) as worker:
        coming = worker.submit(_next, items)
        while item := coming.result():
            coming = worker.submit(_next, items)
            yield item[0]


def _next(items: Iterator[Item]) -> tuple[Item] | None:
    """The next item in a tuple, since an item itself may be empty; None after the last."""
    for item in items:
        return (item,)
    return None
