"""What a process has read last and needs again for the next day of the same run."""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Latest(Generic[T]):
    """One value under the key it was read for; a value of another key is read anew.

    The key holds what the value depends on, the configuration's stamp among it. Whoever marks
    work as done reads its counter before the stamp: work that a revision touches in between is
    then done with the new value, or stays to be done.
    """

    def __init__(self) -> None:
        self._kept: tuple[Hashable, T] | None = None

    def of(self, key: Hashable, read: Callable[[], T]) -> T:
        """The value of a key."""
        kept = self._kept
        if kept is None or kept[0] != key:
            kept = (key, read())
            self._kept = kept
        return kept[1]
