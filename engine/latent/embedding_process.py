"""t-SNE or UMAP in a throw-away process (`embedding`): it can be waited for piece by piece, and given up."""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engine.errors import EngramError
from engine.messages import ShouldStop

TIMEOUT_S: Final = 0.05  # how long a wish to stop may have to wait
PROGRAM: Final = ("-W", "ignore", "-m", "engine.latent.embedding_child")
INSTEAD: Final = "Use PCA for the map."
_ROOT: Final = Path(__file__).resolve().parents[3]
Points = NDArray[np.float32]


class EmbeddingProcess:
    """Lays points out; it is given up when it is closed or forgotten, and ends by itself when this process does.

    Args:
        points: (n, k) float32, n at least 4.
        method: 'tsne' or 'umap'.
        seed: of the method.
    """

    def __init__(self, points: Points, method: str, seed: int) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="engram-map-", ignore_cleanup_errors=True)
        folder = Path(self._folder.name)
        source, self._target, self._words = folder / "points.npy", folder / "laid.npy", folder / "words.txt"
        np.save(source, points)
        paths = os.pathsep.join(filter(None, [str(_ROOT), os.environ.get("PYTHONPATH")]))
        with self._words.open("wb") as words:
            self._process = subprocess.Popen(
                [sys.executable, *PROGRAM, method, str(seed), str(source), str(self._target)],
                env={**os.environ, "PYTHONPATH": paths},
                stdin=subprocess.PIPE,
                stdout=words,
                stderr=words,
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )

    def wait(self, should_stop: ShouldStop) -> Points | None:
        """The points, (n, 2) float32; None when stopped: the process goes on, and can be waited for again.

        Raises:
            EngramError: it failed.
        """
        while self._process.poll() is None:
            if should_stop():
                return None
            try:
                self._process.wait(TIMEOUT_S)
            except subprocess.TimeoutExpired:
                continue
        try:
            laid: Points = np.load(self._target, allow_pickle=False)
        except (OSError, ValueError, EOFError):
            raise EngramError(f"The map could not be computed: {self._last_stderr_line()}", INSTEAD) from None
        finally:
            self.close()
        return laid

    def close(self) -> None:
        """Give it up where it still runs, and clear away what it wrote."""
        self._process.kill()
        self._process.communicate()
        self._folder.cleanup()

    def _last_stderr_line(self) -> str:
        said = self._words.read_text(encoding="utf-8", errors="replace").splitlines()
        errors = [line for line in said if re.match(r"\w+(Error|Exception)\b", line)]
        return errors[-1] if errors else f"its process ended with status {self._process.returncode}."
