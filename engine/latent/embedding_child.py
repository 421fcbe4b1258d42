"""The process that lays points out by t-SNE or UMAP.

    python -m engine.latent.embedding_child METHOD SEED SOURCE TARGET

Neither can be stopped from within, so whoever asks gives the whole process up: it ends when its standard input does.
SOURCE and TARGET are .npy files: float32 (n, k), four points at least, and (n, 2). What numba and its like print stays
here.
"""

import importlib
import os
import sys
import threading

import numpy as np
from numpy.typing import NDArray

PERPLEXITY, NEIGHBORS = 30.0, 15
Points = NDArray[np.float32]


def main(method: str, seed: str, source: str, target: str) -> None:
    """Lay the points of a file out."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    points = np.load(source, allow_pickle=False)
    np.save(target, np.asarray(METHODS[method](points, int(seed)), np.float32))


def _end_with_parent() -> None:
    """Wait at the descriptor itself: at `sys.stdin` there is a lock, which the end of the process would wait for."""
    while os.read(0, 1):
        pass
    os._exit(1)


def _tsne(points: Points, seed: int) -> Points:
    tsne = importlib.import_module("sklearn.manifold").TSNE
    perplexity = min(PERPLEXITY, (len(points) - 1) / 3)
    return tsne(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(points)


def _umap(points: Points, seed: int) -> Points:
    """UMAP from the first two components: its own start fails where a few points lie far from all others."""
    sys.modules["tensorflow"] = None  # type: ignore[assignment]  # else umap imports it for a class that is not used
    umap = importlib.import_module("umap").UMAP
    neighbours = min(NEIGHBORS, len(points) - 1)
    return umap(n_components=2, n_neighbors=neighbours, init="pca", random_state=seed, n_jobs=1).fit_transform(points)


METHODS = {"tsne": _tsne, "umap": _umap}

if __name__ == "__main__":
    main(*sys.argv[1:])
