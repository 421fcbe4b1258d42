"""In which order scans are looked through, and how many at a time; pure numbers."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

ORDERS = {"file": "file order", "worst": "highest error first", "best": "lowest error first"}


@dataclass(frozen=True)
class Pager:
    """Images `order[first : first + columns]` are shown; the first page begins at 0."""

    order: tuple[int, ...] = ()
    columns: int = 6
    first: int = 0

    @property
    def indices(self) -> tuple[int, ...]:
        return self.order[self.first : self.first + self.columns]

    @property
    def page(self) -> int:
        """The page that is shown, from 1."""
        return self.first // self.columns + 1

    @property
    def count(self) -> int:
        return max(-(-len(self.order) // self.columns), 1)

    def turn(self, pages: int) -> "Pager":
        """Go some pages on or back, not past the ends."""
        page = min(max(self.first // self.columns + pages, 0), self.count - 1)
        return replace(self, first=page * self.columns)

    def to(self, index: int) -> "Pager":
        """Go to the page that has an image on it."""
        place = self.order.index(index) if index in self.order else 0
        return replace(self, first=place // self.columns * self.columns)

    def with_columns(self, columns: int) -> "Pager":
        """Show another number at a time; the first image stays in sight."""
        return replace(self, columns=columns, first=self.first // columns * columns)

    def with_order(self, order: Sequence[int]) -> "Pager":
        """Take another order and begin at its first image."""
        return replace(self, order=tuple(order), first=0)


def sorted_by(mse: Sequence[float], how: str) -> list[int]:
    """Return indices of images by their error: worst or best first; equal ones in the order of the files."""
    errors = np.asarray(mse, np.float64)
    return [int(index) for index in np.argsort(-errors if how == "worst" else errors, kind="stable")]
