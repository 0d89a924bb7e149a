import threading
from collections.abc import Iterator

import pytest

from billing_pipeline.orchestration.ahead import one_ahead


def test_items_come_in_their_order_empty_ones_too() -> None:
    assert list(one_ahead(iter([3, 0, None, 2]))) == [3, 0, None, 2]
    assert list(one_ahead(iter([]))) == []


def test_the_next_item_is_made_while_the_caller_works() -> None:
    is_second_made = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        is_second_made.set()
        yield 2

    first = next(made := one_ahead(items()))

    assert is_second_made.wait(timeout=10)
    assert [first, *made] == [1, 2]


def test_an_error_comes_after_the_items_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    made = one_ahead(items())
    assert next(made) == 1
    with pytest.raises(ValueError, match="broken"):
        next(made)
