"""What tests of panels stand on: pauses that end soon."""

import pytest

# The pauses after which a panel requests more or looks around again; the longer of two stays the longer.
PAUSES_MS = {
    "gui.run_repository.LOOK_MS": 100,
    "gui.panels.compare.SOON_MS": 5,
    "gui.panels.denoise.SOON_MS": 5,
    "gui.panels.denoise.controller.REST_MS": 110,
    "gui.panels.latent.SOON_MS": 5,
    "gui.panels.layers.REFRESH_DELAY_MS": 5,
    "gui.panels.layers.loaders.PREFETCH_DELAY_MS": 15,
    "gui.panels.layers.page.DEBOUNCE_MS": 20,
    "gui.panels.search.SOON_MS": 10,
    "gui.panels.search.controller.SOON_MS": 20,
    "gui.panels.train.SOON_MS": 5,
}


@pytest.fixture(autouse=True, scope="package")
def _short_pauses():
    """Wait out no pause that is there for a user's hand and eye."""
    with pytest.MonkeyPatch.context() as patch:
        for name, pause_ms in PAUSES_MS.items():
            patch.setattr(name, pause_ms)
        yield
