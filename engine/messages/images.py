"""Requests about datasets and whole images, with their replies: load, audit, open, reconstruct, evaluate."""

from typing import ClassVar, Literal

from pydantic import Field

from engine.config import DataConfig
from engine.messages.base import Array, ImagesRequest, Reply, Request
from engine.messages.duplicates import ExactDuplicates, LabelConflict, NearDuplicates, PatientCounts

# ---- datasets and files ------------------------------------------------------------------------------------------


class SkippedFile(Reply):
    """A file that could not be used, and why."""

    name: str
    reason: str


class SplitListing(Reply):
    """The images of a set, in its order: their rows in the image store, labels (-1 for none) and paths."""

    rows: tuple[int, ...]
    labels: tuple[int, ...]
    names: tuple[str, ...]


class LoadDataReply(Reply):
    """A dataset that was loaded.

    `counts` gives the number of images by class, then by set. `leaked` lists the places within the test set of images
    that training or validation has as well. `store` is the path of the image store, an array of shape (images, size,
    size) of unsigned integers. `repeats` groups the images with identical pixels. `unseen` lists the places within the
    test set of images of known patients without images in training or validation.
    """

    source: str
    fingerprint: str
    classes: tuple[str, ...]
    counts: dict[str, dict[str, int]]
    skipped: tuple[SkippedFile, ...]
    notes: tuple[str, ...]
    leaked: tuple[int, ...]
    store: str
    splits: dict[str, SplitListing]
    repeats: ExactDuplicates
    unseen: tuple[int, ...] = ()
    patients: PatientCounts = PatientCounts()


class LoadData(Request):
    """Load and prepare a dataset."""

    reply_type: ClassVar[type[Reply]] = LoadDataReply

    command: Literal["load-data"] = "load-data"
    config: DataConfig


class AuditReply(ExactDuplicates, PatientCounts):
    """The duplicate images, patients and label conflicts of a source, in the form that `engine audit --json` prints."""

    source: str
    near: NearDuplicates
    skipped: tuple[SkippedFile, ...]
    notes: tuple[str, ...]
    label_conflicts: tuple[LabelConflict, ...] = ()


class Audit(Request):
    """Search a source for duplicate and near-duplicate images.

    The audit runs alongside other requests, which need not wait for it. Loading another dataset cancels it.
    """

    reply_type: ClassVar[type[Reply]] = AuditReply

    command: Literal["audit"] = "audit"
    config: DataConfig


class Reconstructions(Reply):
    """The reconstructions of n images by one model: float32 (n, size, size) in [0, 1], with metrics of each image.

    `originals` are the images at the size of the model, which may differ from that of other models. `psnr_db` is None
    where image and reconstruction are equal.
    """

    originals: Array
    images: Array
    mse: tuple[float, ...]
    psnr_db: tuple[float | None, ...]
    ssim: tuple[float, ...]


class ReconstructReply(Reply):
    """Originals, float32 (n, size, size) in [0, 1], with their names, and the reconstructions of each model."""

    names: tuple[str, ...]
    originals: Array
    runs: dict[str, Reconstructions]


class OpenScanReply(Reply):
    """An image file that was opened.

    `kind` is 'picture', 'dicom' or 'nifti'. `orientation` gives the letters (R, L, A, P, S, I) at the left, right, top
    and bottom edge; None if it is unknown. `image` is the slice of the request, float32 (size, size) in [0, 1]; None
    if the request has no `data`. `stored` is the height and the width of a slice of the file. `reconstructed` is what
    the models make of the slice; None if the request names none, and in the partial reply.
    """

    name: str
    kind: str
    slices: int
    orientation: tuple[str, str, str, str] | None
    notes: tuple[str, ...]
    image: Array | None = None
    stored: tuple[int, int] = (0, 0)
    reconstructed: ReconstructReply | None = None


class OpenScan(Request):
    """Open one picture, DICOM or NIfTI file; prepare its slice, the middle one if None, as `data` says.

    With `runs`, which may be empty, these models reconstruct the slice, as for `Reconstruct`. A partial reply then
    brings the slice as soon as the file is read, since a model may have to be loaded first.
    """

    reply_type: ClassVar[type[Reply]] = OpenScanReply

    command: Literal["open-scan"] = "open-scan"
    path: str
    data: DataConfig | None = None
    slice: int | None = None
    runs: tuple[str, ...] | None = None


class OpenVolumeReply(Reply):
    """A volume that was opened for the viewer.

    The voxels are in the file `voxels` + '.npy': float32 (slices, rows, columns), in `units`, NaN where there is no
    value. The app maps this file and deletes it; the next volume replaces it. `axes` gives the letters (R, L, A, P, S,
    I) at the start and the end of each axis, empty if they are unknown; `voxel_mm` the distances along them, None if
    unknown; `window` the values that the file shows black and white; `inverted` that low values
    are bright. Series and volumes count from 1.
    """

    name: str
    kind: str
    voxels: str
    axes: tuple[str, str, str]
    voxel_mm: tuple[float | None, float | None, float | None]
    units: str
    window: tuple[float, float] | None
    inverted: bool
    notes: tuple[str, ...]
    series: tuple[str, ...]
    series_number: int
    volumes: int
    volume: int


class OpenVolume(Request):
    """Open a volume for the viewer: a file, or a folder with DICOM series.

    Series 0 is the one with the most images.
    """

    reply_type: ClassVar[type[Reply]] = OpenVolumeReply

    command: Literal["open-volume"] = "open-volume"
    path: str
    series: int = 0
    volume: int = 1


# ---- models on images --------------------------------------------------------------------------------------------


class ExportVolumeReply(Reply):
    """A volume that was written: its file or folder, the slices that were processed, and notes on it."""

    path: str
    slices: int
    notes: tuple[str, ...]


class ExportVolume(Request):
    """Process all slices of a volume with a run, and write them on its grid to `path`.

    `volume` is that of a file of several, counted from 1. Noise of the level `sigma` is added before; none by default.
    """

    reply_type: ClassVar[type[Reply]] = ExportVolumeReply

    command: Literal["export-volume"] = "export-volume"
    run: str
    scan: str
    path: str
    format: Literal["nifti", "dicom"] = "nifti"
    keep_patient_data: bool = False
    volume: int | None = None
    noise: str = "gaussian"
    sigma: float = Field(0.0, ge=0.0, le=1.0)
    seed: int = Field(0, ge=0)


class Reconstruct(ImagesRequest):
    """Reconstruct images with several models.

    `runs` are paths of runs. A baseline may take the place of a run: 'pca:512' is PCA with 512 components, 'pca:0' the
    mean image.
    """

    reply_type: ClassVar[type[Reply]] = ReconstructReply

    command: Literal["reconstruct"] = "reconstruct"
    runs: tuple[str, ...]


class SubsetMetrics(Reply):
    """Means over the n images of a set or subset, as `engine.evaluation.evaluate` describes them.

    A metric that the model does not have, or that is not finite, is None. Intervals are the 95% confidence interval of
    the mean, over images or, if every patient is known, over `patients` patients.
    """

    n: int
    mse: float | None
    mae: float | None
    psnr_db: float | None
    ssim: float | None
    ms_ssim: float | None
    mse_interval: tuple[float, float] | None
    psnr_db_interval: tuple[float, float] | None
    patients: int | None = None
    mse_patient_interval: tuple[float, float] | None = None
    psnr_db_patient_interval: tuple[float, float] | None = None
    ms_ssim_scales: int
    head_mse: float | None
    head_mae: float | None
    head_psnr_db: float | None
    head_ssim: float | None
    nats_per_image: float | None
    nats_per_pixel: float | None
    elbo_nats: float | None
    reconstruction_nats: float | None
    kl_nats: float | None
    entropy_floor_nats: float | None
    active_units: int | None
    kl_per_dimension: tuple[float, ...] | None
    loss: float | None
    batch_sum: float | None


class EvaluateRunReply(Reply):
    """Metrics of a run or baseline by test subset: 'test', 'test_leaked', 'test_clean', 'test_unseen'.

    Empty subsets are left out.
    """

    run: str
    splits: dict[str, SubsetMetrics]


class EvaluateRun(Request):
    """Compute all metrics of a run, or of a baseline, on the test images of `data`. It can wait."""

    can_wait: ClassVar[bool] = True
    reply_type: ClassVar[type[Reply]] = EvaluateRunReply

    command: Literal["measure"] = "measure"
    run: str
    data: DataConfig


class PerImageErrorsReply(Reply):
    """Mean squared error of each image of a set, in its order; empty if the request was stopped."""

    run: str
    split: str
    mse: tuple[float, ...]


class PerImageErrors(Request):
    """Compute the reconstruction error of a run on every image of a set, to sort by."""

    reply_type: ClassVar[type[Reply]] = PerImageErrorsReply

    command: Literal["rank"] = "rank"
    run: str
    data: DataConfig
    split: str = "validation"
