"""The order of the images, and how many a page shows. Pure numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

ORDERS = {"file": "file order", "worst": "highest error first", "best": "lowest error first"}


@dataclass(frozen=True)
class Pager:
    """A page of images, `order[first : first + columns]`; the first page begins at 0."""

    order: tuple[int, ...] = ()
    columns: int = 6
    first: int = 0

    @property
    def indices(self) -> tuple[int, ...]:
        return self.order[self.first : self.first + self.columns]

    @property
    def page(self) -> int:
        """Return the number of the shown page, from 1."""
        return self.first // self.columns + 1

    @property
    def count(self) -> int:
        return max(-(-len(self.order) // self.columns), 1)

    def turn(self, pages: int) -> "Pager":
        """Return the pager some pages further on or back, not past the ends."""
        page = min(max(self.first // self.columns + pages, 0), self.count - 1)
        return replace(self, first=page * self.columns)

    def to(self, index: int) -> "Pager":
        """Return the pager at the page with an image."""
        place = self.order.index(index) if index in self.order else 0
        return replace(self, first=place // self.columns * self.columns)

    def with_columns(self, columns: int) -> "Pager":
        """Return the pager with another number of columns; the first image stays visible."""
        return replace(self, columns=columns, first=self.first // columns * columns)

    def with_order(self, order: Sequence[int]) -> "Pager":
        """Return the pager with another order, at its first image."""
        return replace(self, order=tuple(order), first=0)


def sorted_by(mse: Sequence[float], how: str) -> list[int]:
    """Return the indices of images sorted by error, worst or best first; ties in the order of the files."""
    errors = np.asarray(mse, np.float64)
    return [int(index) for index in np.argsort(-errors if how == "worst" else errors, kind="stable")]
