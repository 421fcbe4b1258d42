"""All answers about latent spaces."""

from typing import Any

from engine.explorer.latent_cache import Answering, LatentContext, LatentDataCache, preemptible
from engine.explorer.latent_decode_handlers import LatentDecodeHandlers
from engine.explorer.latent_map_handlers import LatentMapHandlers
from engine.explorer.latent_posterior_handlers import PosteriorHandlers
from engine.messages import Request


def latent_handlers(warm: LatentContext) -> dict[type[Request], Answering]:
    """What can be asked of an explorer about latent spaces, and who answers it."""
    shelf = LatentDataCache(warm)
    rooms: tuple[Any, ...] = LatentMapHandlers(shelf), LatentDecodeHandlers(shelf), PosteriorHandlers(shelf)
    return preemptible({kind: answer for room in rooms for kind, answer in room.answers().items()})
