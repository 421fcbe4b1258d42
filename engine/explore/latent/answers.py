"""All answers about latent spaces."""

from typing import Any

from engine.explore.latent.charting import Charting
from engine.explore.latent.decoding import Decoding
from engine.explore.latent.shelf import Answering, Shelf, Warm, giving_way
from engine.explore.latent.spreading import Spreading
from engine.messages import Request


def of(warm: Warm) -> dict[type[Request], Answering]:
    """What can be asked of an explorer about latent spaces, and who answers it."""
    shelf = Shelf(warm)
    rooms: tuple[Any, ...] = Charting(shelf), Decoding(shelf), Spreading(shelf)
    return giving_way({kind: answer for room in rooms for kind, answer in room.answers().items()})
