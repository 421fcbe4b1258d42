"""The explorer: holds data sets and loaded models warm and answers small requests about them.

Answers are plain mappings; arrays go to `.npy` files in a scratch folder, each under a name of its own. The files are
the reader's: it deletes them when it has taken the answer. Keras is imported with the first model.
"""

import os
import tempfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import backend, data, metrics, runs
from engine.config import DataConfig, TrainingConfig
from engine.data.audit import audit, find_exact_duplicates
from engine.evaluation import cache, references, scoring
from engine.explorer import latent_handlers as latent
from engine.explorer.denoise_handlers import DenoiseHandlers
from engine.explorer.layer_handlers import LayerHandlers
from engine.messages import (
    Audit,
    Emit,
    EvaluateRun,
    ImagesRequest,
    LoadData,
    OpenScan,
    PerImageErrors,
    Reconstruct,
    Reply,
    Request,
    RequestProgress,
    ShouldStop,
)

MAX_MODELS = 4
DATA_KEPT = 3


class Explorer:
    """Answers requests one after the other.

    Args:
        scratch: folder for arrays.
        emit: takes progress events of long requests.
        should_stop: asked during long requests.
    """

    def __init__(self, scratch: Path, emit: Emit, should_stop: ShouldStop) -> None:
        self.scratch, self.emit, self.should_stop = scratch, emit, should_stop
        self._models: OrderedDict[tuple[Path, str], Any] = OrderedDict()
        self._data: OrderedDict[DataConfig, data.Dataset] = OrderedDict()
        self._linear: tuple[tuple[str, int], Any] | None = None
        self._scan: tuple[tuple[object, ...], data.Scan] | None = None
        self._answers: dict[type[Request], Callable[[Any], Reply | dict[str, Any] | None]] = {
            LoadData: self._load_data,
            OpenScan: self._open_scan,
            Reconstruct: self._reconstruct,
            PerImageErrors: self._rank,
            EvaluateRun: self._measure,
            **DenoiseHandlers(self).answers(),
            **LayerHandlers(self).answers(),
            **latent.latent_handlers(self),
        }

    def answer(self, request: Request) -> Reply | dict[str, Any] | None:
        """Answer one request.

        Returns:
            The content of the answer; None for one that can wait and was stopped.

        Raises:
            EngramError: what is wrong with the request.
        """
        try:
            return self._answers[type(request)](request)
        except data.Cancelled:
            if request.can_wait:
                return None
            raise

    def _load_data(self, request: LoadData) -> dict[str, Any]:
        def progress(done: int, total: int) -> None:
            self.emit(RequestProgress(number=request.number, panel=request.panel, done=done, total=total))

        self._data.pop(request.config, None)  # asked for anew: its files may have changed
        images = self.dataset(request.config, progress)
        return {
            "source": images.source,
            "fingerprint": images.fingerprint,
            "classes": list(images.classes),
            "counts": images.counts(),
            "skipped": [{"name": item.name, "reason": item.reason} for item in images.skipped],
            "notes": list(images.notes),
            "leaked": np.flatnonzero(images.leaked).tolist(),
            "store": str(getattr(images.train.store, "filename", "")),
            "splits": {name: _listing(split) for name, split in images.splits.items()},
            "repeats": find_exact_duplicates(images),
        }

    def _open_scan(self, request: OpenScan) -> dict[str, Any]:
        scan = self._read_scan(request.path)
        return {
            "name": scan.name,
            "kind": scan.kind,
            "slices": len(scan.pixels),
            "orientation": scan.orientation,
            "notes": list(scan.notes),
        }

    def _reconstruct(self, request: Reconstruct) -> dict[str, Any]:
        originals, names = self.load_images(request)
        answer: dict[str, Any] = {"names": names, "originals": self.save_array(originals[..., 0]), "runs": {}}
        for name in request.runs:
            model, side = self.reconstructor(name, request.data)
            fitted = originals if side == request.data.size else self.load_images(request, side)[0]
            reconstructed = scoring.reconstruct(model, fitted)
            paths = {"originals": self.save_array(fitted[..., 0]), "images": self.save_array(reconstructed[..., 0])}
            answer["runs"][name] = paths | _measures(fitted, reconstructed)
        return answer

    def _rank(self, request: PerImageErrors) -> dict[str, Any]:
        model, side = self.reconstructor(request.run, request.data)
        images = self.dataset(request.data.model_copy(update={"size": side})).splits[request.split]
        scores = scoring.score(model, images, self.should_stop)
        return {"run": request.run, "split": request.split, "mse": [] if scores is None else scores["mse"].tolist()}

    def _measure(self, request: EvaluateRun) -> dict[str, Any] | None:
        found = self._measured(request)
        return None if found is None else {"run": request.run, "splits": found}

    def _measured(self, request: EvaluateRun) -> dict[str, Any] | None:
        components = references.parse_reference(request.run)
        if components is not None:
            images = self.dataset(request.data)
            return cache.evaluate_reference_cached(images, components, self.should_stop)
        run = runs.open_run(request.run)
        images = self.dataset(request.data.model_copy(update={"size": run.config.data.size}))
        found = cache.read_cached(run, images) if run.model_path.exists() else None
        return found or cache.evaluate_run_cached(run, self._load_model(run, keep=False), images, self.should_stop)

    def load_images(self, request: ImagesRequest, side: int | None = None) -> tuple[NDArray[np.float32], list[str]]:
        """The images of a request, (n, side, side, 1), and their names."""
        config = request.data.model_copy(update={"size": side or request.data.size})
        if request.scan is not None:
            scan = self._read_scan(request.scan)
            return data.prepare(scan, config, request.slice)[None, ..., None], [scan.name]
        split = self.dataset(config).splits[request.split]
        return split.read(np.array(request.indices, np.int64)), [split.names[index] for index in request.indices]

    def dataset(self, config: DataConfig, progress: Callable[[int, int], None] | None = None) -> data.Dataset:
        """A data set, loaded when it is first asked for."""
        if config not in self._data:
            self._data[config] = data.load(config=config, progress=progress, should_stop=self.should_stop)
        self._data.move_to_end(config)
        while len(self._data) > DATA_KEPT:
            self._data.popitem(last=False)
        return self._data[config]

    def _read_scan(self, path: str) -> data.Scan:
        """Open a scan once while its slices are gone through."""
        file, kept = Path(path), self._scan
        known = file.stat() if file.exists() else None
        key = (path, *((known.st_mtime_ns, known.st_ctime_ns, known.st_size, known.st_ino) if known else ()))
        if kept is None or kept[0] != key:
            self._scan = kept = key, data.open_scan(path)
        return kept[1]

    def reconstructor(self, name: str, config: DataConfig) -> tuple[Any, int]:
        """What makes pictures under a name, a run's model or a yardstick, and the side of its images."""
        components = references.parse_reference(name)
        if components is None:
            model, run = self.model(name)
            return model, run.config.data.size
        images = self.dataset(config)
        key = images.fingerprint, components
        if self._linear is None or self._linear[0] != key:
            self._linear = key, references.fit_pca_reference(images, components)
        return self._linear[1], config.size

    def model(self, name: str) -> tuple[Any, runs.Run]:
        """The loaded model of a run, and the run."""
        run = runs.open_run(name)
        return self._load_model(run), run

    def _load_model(self, run: runs.Run, keep: bool = True) -> Any:
        """The model of a run; one that is not kept makes no other give way."""
        key = run.path, runs.model_checksum(run)
        if not keep and key not in self._models:
            return backend.import_on_backend("engine.models", TrainingConfig(deterministic=False)).load(run)
        if key not in self._models:
            settings = {"backend": backend.find_backend(run.config.training.backend), "deterministic": False}
            self._models[key] = backend.import_on_backend(
                "engine.models", TrainingConfig.model_validate(settings)
            ).load(run)
        self._models.move_to_end(key)
        while len(self._models) > MAX_MODELS:
            self._models.popitem(last=False)
        return self._models[key]

    def save_array(self, array: NDArray[Any]) -> str:
        """Put an array into the scratch folder; return the path of its file, which is written once."""
        file, path = tempfile.mkstemp(prefix="answer-", suffix=".npy", dir=self.scratch)
        with os.fdopen(file, "wb") as opened:
            np.save(opened, array)
        return path


def answer_audit(request: Audit, emit: Emit, should_stop: ShouldStop) -> dict[str, Any]:
    """Answer the one long question, which needs nothing that an explorer holds: in a thread beside it.

    Raises:
        EngramError: the source cannot be used; `Cancelled` when `should_stop` said so.
    """

    def progress(what: str, done: int, total: int) -> None:
        emit(RequestProgress(number=request.number, panel=request.panel, done=done, total=total))

    return audit(request.config, progress=progress, should_stop=should_stop)


def _listing(split: data.Split) -> dict[str, Any]:
    return {"rows": split.rows.tolist(), "labels": split.labels.tolist(), "names": list(split.names)}


def _measures(originals: NDArray[np.float32], reconstructed: NDArray[np.float32]) -> dict[str, list[float | None]]:
    psnr = metrics.psnr_db(originals, reconstructed)
    return {
        "mse": metrics.mse(originals, reconstructed).tolist(),
        "psnr_db": [float(value) if np.isfinite(value) else None for value in psnr],
        "ssim": metrics.ssim(originals, reconstructed).tolist(),
    }
