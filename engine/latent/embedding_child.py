"""Process that computes an embedding by t-SNE or UMAP.

    python -m engine.latent.embedding_child METHOD SEED SOURCE TARGET

Neither can be stopped from within, so the parent cancels the whole process: it ends when its standard input closes.
SOURCE and TARGET are .npy files: float32 (n, k), at least four points, and (n, 2). The output of numba and other
libraries stays here.
"""

import os
import sys
import threading

import numpy as np

from engine.arrays import Places, Points

PERPLEXITY, NEIGHBORS = 30.0, 15


def main(method: str, seed: str, source: str, target: str) -> None:
    """Embed the points of a file."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    points = np.load(source, allow_pickle=False)
    np.save(target, np.asarray(METHODS[method](points, int(seed)), np.float32))


def _end_with_parent() -> None:
    """Wait at the descriptor itself: `sys.stdin` has a lock, for which the end of the process would wait."""
    while os.read(0, 1):
        pass
    os._exit(1)


def _tsne(points: Points, seed: int) -> Places:
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (len(points) - 1) / 3)
    return TSNE(2, perplexity=perplexity, init="pca", random_state=seed).fit_transform(points)


def _umap(points: Points, seed: int) -> Places:
    """Run UMAP from the first two components: its own initialization fails if a few points lie far from all others."""
    # Otherwise umap imports it for a class that is not used.
    sys.modules["tensorflow"] = None  # type: ignore[assignment]
    from umap import UMAP

    neighbors = min(NEIGHBORS, len(points) - 1)
    return UMAP(n_components=2, n_neighbors=neighbors, init="pca", random_state=seed, n_jobs=1).fit_transform(points)


METHODS = {"tsne": _tsne, "umap": _umap}

if __name__ == "__main__":
    main(*sys.argv[1:])
