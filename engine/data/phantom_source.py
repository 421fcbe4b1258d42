"""Source of phantoms; needs no download."""

import hashlib
from pathlib import Path

import numpy as np

from engine.config import DataConfig
from engine.data import phantom
from engine.data.dataset import Skipped
from engine.data.decoded_image import DecodedImage
from engine.data.source import SourceItem
from engine.job_context import UNATTENDED, JobContext


class PhantomSource:
    """Source of the first `phantom_count` slices of a seed; the last sixth is the test set."""

    expected = ""
    notes: tuple[str, ...] = ()
    folder: Path | None = None
    question = ""
    plane = ""
    # Drawing is many short array operations: two threads wait for each other, and together take a quarter longer.
    threads = 1

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

    def content_hash(self, context: JobContext = UNATTENDED) -> str:
        """Hash the parameters of the generator and the generator's own source."""
        parameters = (self._config.size, self._config.phantom_seed, self._config.phantom_count)
        content = hashlib.sha256(repr(parameters).encode())
        for file in sorted(Path(phantom.__file__).parent.glob("*.py")):
            content.update(file.read_bytes())
        return content.hexdigest()

    def digest(self, index: int) -> str:
        """Return the parameters of a phantom, which stand for the bytes of a file."""
        return f"phantom {self._config.phantom_seed} {index}"

    def is_high_bit_depth(self, context: JobContext = UNATTENDED) -> bool:
        """Return False: phantoms have 8 bits, as most images of the public datasets."""
        return False

    def locate(self, index: int) -> Path | None:
        """Return None: a phantom has no file."""
        return None

    def read(self, index: int) -> DecodedImage:
        """Generate one phantom."""
        made = phantom.phantom(self._config.size, self._config.phantom_seed, index)
        return DecodedImage(np.asarray(made.image, dtype=np.float32), 1.0)
