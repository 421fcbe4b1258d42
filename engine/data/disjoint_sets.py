"""Disjoint sets (union-find): which items hang together, given links between two of them."""

from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T", bound=Hashable)


class DisjointSets(Generic[T]):
    """Sets of items that grow together as their members are linked.

    >>> sets = DisjointSets[int]()
    >>> sets.join(1, 2)
    >>> sets.join(2, 5)
    >>> sets.find(5) == sets.find(1), sets.find(3) == sets.find(1)
    (True, False)
    """

    def __init__(self) -> None:
        self._parents: dict[T, T] = {}

    def find(self, item: T) -> T:
        """Return the item that stands for the set of this one."""
        parents = self._parents
        while (parent := parents.setdefault(item, item)) != item:
            parents[item] = parents[parent]
            item = parents[item]
        return item

    def join(self, one: T, other: T) -> None:
        """Unite the sets of two items."""
        self._parents[self.find(one)] = self.find(other)
