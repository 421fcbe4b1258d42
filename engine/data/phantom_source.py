"""Phantom slices as a source of images; nothing to download."""

import hashlib
from pathlib import Path

import numpy as np

from engine.config import DataConfig
from engine.data import phantom
from engine.data.dataset import Skipped
from engine.data.decoded_image import DecodedImage
from engine.data.source import SourceItem
from engine.messages import ShouldStop


class PhantomSource:
    """The first `phantom_count` slices of a seed; the last sixth of them are the test set."""

    expected = ""
    notes: tuple[str, ...] = ()

    def __init__(self, config: DataConfig) -> None:
        self._config = config
        self.classes = tuple(phantom.CLASSES)
        self.skipped: tuple[Skipped, ...] = ()
        count = config.phantom_count
        self.items = [
            SourceItem(
                f"phantom-{index:06d}",
                phantom.find_label(config.phantom_seed, index),
                "test" if index >= count - count // 6 else "train",
            )
            for index in range(count)
        ]

    def content_hash(self, should_stop: ShouldStop) -> str:
        """Hash of what is asked of the generator and of the generator's own source."""
        asked = (self._config.size, self._config.phantom_seed, self._config.phantom_count)
        content = hashlib.sha256(repr(asked).encode())
        for file in sorted(Path(phantom.__file__).parent.glob("*.py")):
            content.update(file.read_bytes())
        return content.hexdigest()

    def digest(self, index: int) -> str:
        """A phantom has no file; what it is drawn from stands for the bytes."""
        return f"phantom {self._config.phantom_seed} {index}"

    def is_high_bit_depth(self) -> bool:
        """Phantoms have 8 bits, as most scans of the public sets have."""
        return False

    def read(self, index: int) -> DecodedImage:
        """Generate one phantom."""
        made = phantom.phantom(self._config.size, self._config.phantom_seed, index)
        return DecodedImage(np.asarray(made.image, dtype=np.float32), 1.0)
