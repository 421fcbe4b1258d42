"""The explorer: keeps datasets and models in memory and answers small requests about them.

The worker saves the arrays of a reply as `.npy` files in a scratch folder, each under a name of its own. The app
deletes the files when it has loaded them. Keras is imported with the first model.
"""

import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from engine import backend, data, metrics, runs
from engine.config import DataConfig, TrainingConfig
from engine.data.audit import audit, find_exact_duplicates
from engine.data.scan import read_view
from engine.denoising import noisy_image
from engine.denoising.noisy_image import NoiseShape
from engine.errors import DataError
from engine.evaluation import cache, references, scoring
from engine.explorer import latent_handlers as latent
from engine.explorer.context import make_job_context
from engine.explorer.denoise_handlers import DenoiseHandlers
from engine.explorer.figure_handlers import export_figure
from engine.explorer.interval_handlers import IntervalHandlers
from engine.explorer.layer_handlers import LayerHandlers
from engine.explorer.volume_handlers import VolumeHandlers
from engine.job_context import Cancelled, JobContext
from engine.lru_cache import LRUCache
from engine.messages import (
    Audit,
    AuditReply,
    Emit,
    EvaluateRun,
    EvaluateRunReply,
    ExactDuplicates,
    ExportFigure,
    ImagesRequest,
    LoadData,
    LoadDataReply,
    OpenScan,
    OpenScanReply,
    OpenVolume,
    OpenVolumeReply,
    PatientCounts,
    PerImageErrors,
    PerImageErrorsReply,
    Reconstruct,
    Reconstructions,
    ReconstructReply,
    Reply,
    Request,
    ShouldStop,
    SkippedFile,
    SplitListing,
)

MAX_MODELS = 4
MAX_DATASETS = 3


class Explorer:
    """The explorer: answers one request after the other.

    Args:
        scratch: folder for arrays.
        emit: takes progress events of long requests.
        should_stop: polled during long requests.
    """

    def __init__(self, scratch: Path, emit: Emit, should_stop: ShouldStop) -> None:
        self.scratch, self.emit, self.should_stop = scratch, emit, should_stop
        self._models: LRUCache[tuple[Path, str], Any] = LRUCache(MAX_MODELS)
        self._data: LRUCache[DataConfig, data.Dataset] = LRUCache(MAX_DATASETS)
        self._linear: LRUCache[tuple[str, int], Any] = LRUCache(1)
        self._scan: LRUCache[tuple[object, ...], data.Scan] = LRUCache(1)
        self._voxels: Path | None = None
        self._answers: dict[type[Request], Callable[[Any], Reply]] = {
            LoadData: self._load_data,
            OpenScan: self._open_scan,
            OpenVolume: self._open_volume,
            Reconstruct: self._reconstruct,
            PerImageErrors: self._compute_image_errors,
            EvaluateRun: self._evaluate_run,
            ExportFigure: export_figure,
            **DenoiseHandlers(self).answers(),
            **IntervalHandlers(self).answers(),
            **LayerHandlers(self).answers(),
            **VolumeHandlers(self).answers(),
            **latent.latent_handlers(self),
        }

    def answer(self, request: Request) -> Reply | None:
        """Answer one request.

        Returns:
            The reply; None for a request that can wait and was canceled.

        Raises:
            EngramError: what is wrong with the request.
            Cancelled: the request was canceled, and cannot wait.
        """
        try:
            return self._answers[type(request)](request)
        except Cancelled:
            if request.can_wait:
                return None
            raise

    def _load_data(self, request: LoadData) -> LoadDataReply:
        self._data.pop(request.config)  # its files may have changed since it was loaded
        images = self._load_dataset(request.config, self.job_context(request))
        return LoadDataReply(
            source=images.source,
            fingerprint=images.fingerprint,
            classes=images.classes,
            counts=images.counts(),
            skipped=tuple(SkippedFile(name=item.name, reason=item.reason) for item in images.skipped),
            notes=images.notes,
            leaked=tuple(np.flatnonzero(images.leaked).tolist()),
            store=str(getattr(images.train.store, "filename", "")),
            splits={name: _list_split(split) for name, split in images.splits.items()},
            repeats=ExactDuplicates.model_validate(find_exact_duplicates(images)),
            unseen=tuple(np.flatnonzero(images.unseen).tolist()),
            patients=PatientCounts.model_validate(images.patients.to_json()),
        )

    def _open_scan(self, request: OpenScan) -> OpenScanReply:
        scan = self._read_scan(request.path)
        count, image, reconstructed = len(scan.pixels), None, None
        if request.data is not None:
            at = count // 2 if request.slice is None else min(max(request.slice, 0), count - 1)
            image = data.prepare(scan, request.data, at)
            if request.runs is not None:
                same = {"number": request.number, "panel": request.panel, "data": request.data, "runs": request.runs}
                reconstructed = self._reconstruct(Reconstruct(**same, scan=request.path, slice=at))
        facts = {"name": scan.name, "kind": scan.kind, "orientation": scan.orientation, "notes": scan.notes}
        stored = scan.pixels.shape[1:]
        return OpenScanReply(**facts, slices=count, image=image, stored=stored, reconstructed=reconstructed)

    def _open_volume(self, request: OpenVolume) -> OpenVolumeReply:
        """Write the voxels of a volume in place of those of the last one."""
        if self._voxels:
            with suppress(OSError):  # Windows deletes no file that the app still maps
                self._voxels.unlink(missing_ok=True)
        self._voxels = target = self.scratch / f"volume-{request.number}.npy"
        found = read_view(request.path, target, request.series, request.volume)
        known = {name: found[name] for name in OpenVolumeReply.model_fields if name != "voxels"}
        return OpenVolumeReply(voxels=str(target.with_suffix("")), **known)

    def _reconstruct(self, request: Reconstruct) -> ReconstructReply:
        originals, names = self.load_images(request)
        stack, made = originals[..., 0], {}
        for name in request.runs:
            model, side = self.reconstructor(name, request.data)
            is_same_size = side == request.data.size
            fitted = originals if is_same_size else self.load_images(request, side)[0]
            reconstructed = scoring.reconstruct(model, fitted)
            made[name] = Reconstructions(
                originals=stack if is_same_size else fitted[..., 0],
                images=reconstructed[..., 0],
                **_image_metrics(fitted, reconstructed),
            )
        return ReconstructReply(names=tuple(names), originals=stack, runs=made)

    def _compute_image_errors(self, request: PerImageErrors) -> PerImageErrorsReply:
        model, side = self.reconstructor(request.run, request.data)
        images = self.dataset(request.data.model_copy(update={"size": side})).splits[request.split]
        try:
            mse = scoring.score(model, images, JobContext(self.should_stop))["mse"].tolist()
        except Cancelled:
            mse = []
        return PerImageErrorsReply(run=request.run, split=request.split, mse=tuple(mse))

    def _evaluate_run(self, request: EvaluateRun) -> EvaluateRunReply:
        components = references.parse_reference(request.run)
        if components is not None:
            images = self.dataset(request.data)
            return _to_reply(request, cache.evaluate_reference_cached(images, components, self.job_context(request)))
        run = runs.open_run(request.run)
        images = self.dataset(request.data.model_copy(update={"size": run.config.data.size}))
        with suppress(ValidationError):  # another process may have written to the cache
            if run.model_path.exists() and (known := cache.read_cached(run, images)):
                return _to_reply(request, known)
        model = self._load_model(run, keep=False)
        return _to_reply(request, cache.evaluate_run_cached(run, model, images, self.job_context(request)))

    def job_context(self, request: Request) -> JobContext:
        """Return the cancellation of a request, and its progress as events."""
        return make_job_context(request, self.emit, self.should_stop)

    def load_images(self, request: ImagesRequest, side: int | None = None) -> tuple[NDArray[np.float32], list[str]]:
        """Return the images of a request, (n, side, side, 1), and their names."""
        config = request.data.model_copy(update={"size": side or request.data.size})
        if request.scan is not None:
            scan = self._read_scan(request.scan)
            return data.prepare(scan, config, request.slice)[None, ..., None], [scan.name]
        split = self.dataset(config).splits[request.split]
        if strange := [index for index in request.indices if not 0 <= index < len(split)]:
            raise DataError(
                f"There is no image {strange[0]} in this set of {len(split):,} images.", "Choose an image of the list."
            )
        return split.read(np.array(request.indices, np.int64)), [split.names[index] for index in request.indices]

    def noise_shape(self, request: ImagesRequest, side: int) -> NoiseShape:
        """Return what white noise is like in the image of a request, prepared at a side."""
        config = request.data.model_copy(update={"size": side})
        if request.scan is not None:
            return noisy_image.shape_of_scan(self._read_scan(request.scan), config)
        name = self.dataset(request.data).splits[request.split].names[request.indices[0]]
        return noisy_image.shape_of_file(Path(config.source).expanduser() / name, config)

    def dataset(self, config: DataConfig) -> data.Dataset:
        """Return a dataset; load it when it is first requested."""
        return self._load_dataset(config, JobContext(self.should_stop))

    def _load_dataset(self, config: DataConfig, context: JobContext) -> data.Dataset:
        return self._data.get_or_create(config, lambda: data.load(config=config, context=context))

    def _read_scan(self, path: str) -> data.Scan:
        """Return an opened file, which stays open until another one is requested."""
        file = Path(path)
        known = file.stat() if file.exists() else None
        key = (path, *((known.st_mtime_ns, known.st_ctime_ns, known.st_size, known.st_ino) if known else ()))
        return self._scan.get_or_create(key, lambda: data.open_scan(path))

    def reconstructor(self, name: str, config: DataConfig) -> tuple[Any, int]:
        """Return the model of a run, or a baseline, and the side of its images in pixels."""
        components = references.parse_reference(name)
        if components is None:
            model, run = self.model(name)
            return model, run.config.data.size
        images = self.dataset(config)
        key = images.fingerprint, components
        return self._linear.get_or_create(key, lambda: references.fit_pca_reference(images, components)), config.size

    def model(self, name: str) -> tuple[Any, runs.Run]:
        """Return the loaded model of a run, and the run."""
        run = runs.open_run(name)
        return self._load_model(run), run

    def _load_model(self, run: runs.Run, keep: bool = True) -> Any:
        """Return the model of a run; one that is not kept evicts no other."""
        key = run.path, runs.model_checksum(run)
        model = self._models.get(key)
        if model is not None:
            return model
        settings = TrainingConfig(deterministic=False)
        if keep:
            settings = settings.model_copy(update={"backend": backend.find_backend(run.config.training.backend)})
        model = backend.import_on_backend("engine.models", settings).load(run)
        if keep:
            self._models.put(key, model)
        return model

    def save_array(self, array: NDArray[Any]) -> str:
        """Save an array in the scratch folder; return the path of its file."""
        file, path = tempfile.mkstemp(prefix="answer-", suffix=".npy", dir=self.scratch)
        with os.fdopen(file, "wb") as opened:
            np.save(opened, array)
        return path


def answer_audit(request: Audit, context: JobContext) -> AuditReply:
    """Answer the one long request that needs no explorer, in a thread of its own.

    Raises:
        EngramError: the source cannot be used.
        Cancelled: the request was canceled.
    """
    return AuditReply.model_validate(audit(request.config, context=context))


def _list_split(split: data.Split) -> SplitListing:
    return SplitListing(rows=split.rows.tolist(), labels=split.labels.tolist(), names=tuple(split.names))


def _to_reply(request: EvaluateRun, found: dict[str, Any]) -> EvaluateRunReply:
    return EvaluateRunReply.model_validate({"run": request.run, "splits": found})


def _image_metrics(originals: NDArray[np.float32], images: NDArray[np.float32]) -> dict[str, Any]:
    psnr = metrics.psnr_db(originals, images)
    return {
        "mse": metrics.mse(originals, images).tolist(),
        "psnr_db": [float(value) if np.isfinite(value) else None for value in psnr],
        "ssim": metrics.ssim(originals, images).tolist(),
    }
