"""t-SNE or UMAP in a separate process (`embedding_child`), which can be polled and canceled."""

import re
import subprocess
import tempfile
from pathlib import Path
from typing import Final

import numpy as np

from engine.arrays import Places, Points
from engine.child_process import module_command, start_module
from engine.errors import EngramError

# Longest delay of a request to stop.
TIMEOUT_S: Final = 0.05
PROGRAM: Final = "engine.latent.embedding_child"
INSTEAD: Final = "Use PCA for the map."


class EmbeddingProcess:
    """Process of an embedding; canceled by `close` or garbage collection, and ends with this process.

    Args:
        points: (n, k) float32, n at least 4.
        method: 'tsne' or 'umap'.
        seed: seed of the method.
    """

    def __init__(self, points: Points, method: str, seed: int) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="engram-map-", ignore_cleanup_errors=True)
        folder = Path(self._folder.name)
        source, self._target, self._words = folder / "points.npy", folder / "laid.npy", folder / "words.txt"
        np.save(source, points)
        with self._words.open("wb") as words:
            self._process = start_module(
                module_command(PROGRAM, method, str(seed), str(source), str(self._target), ignore_warnings=True),
                stdin=subprocess.PIPE,
                stdout=words,
                stderr=words,
            )

    def wait(self) -> Places | None:
        """Wait a moment for the points, (n, 2) float32. Returns None if the process has not finished yet.

        Raises:
            EngramError: the process failed.
        """
        try:
            self._process.wait(TIMEOUT_S)
        except subprocess.TimeoutExpired:
            return None
        try:
            laid: Places = np.load(self._target, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            raise EngramError(f"The map could not be computed: {self._last_stderr_line()}", INSTEAD) from None
        finally:
            self.close()
        return laid

    def close(self) -> None:
        """Kill the process if it still runs, and delete its files."""
        self._process.kill()
        self._process.communicate()
        self._folder.cleanup()

    def _last_stderr_line(self) -> str:
        said = self._words.read_text(encoding="utf-8", errors="replace").splitlines()
        errors = [line for line in said if re.match(r"\w+(Error|Exception)\b", line)]
        return errors[-1] if errors else f"its process ended with status {self._process.returncode}."
