"""Handler of the request to process a whole volume with a run and to write the result."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from engine import runs
from engine.arrays import Images
from engine.data.volume_target import VolumeTarget
from engine.evaluation import scoring
from engine.job_context import JobContext
from engine.messages import ExportVolume, ExportVolumeReply, Reply, Request


class VolumeContext(Protocol):
    """The parts of an explorer that the handler uses."""

    def job_context(self, request: Request) -> JobContext:
        """Return the cancellation of a request, and its progress as events."""
        ...

    def model(self, name: str) -> tuple[Any, runs.Run]:
        """Return the loaded model of a run, and the run."""
        ...


class VolumeHandlers:
    """The handler of `ExportVolume`."""

    def __init__(self, warm: VolumeContext) -> None:
        self._warm = warm

    def answers(self) -> dict[type[Request], Callable[[Any], Reply]]:
        """Return the handler of each request."""
        return {ExportVolume: self.export}

    def export(self, request: ExportVolume) -> ExportVolumeReply:
        """Process all slices of a volume and write them on its grid; noise is added before if a level is given.

        Raises:
            EngramError: the input has no grid, or the result cannot be written.
            Cancelled: the request was canceled; nothing was written.
        """
        from engine.evaluation.volume import VolumeTask, add_slice_noise, export_volume

        model, run = self._warm.model(request.run)

        def transform(images: Images, first: int) -> Images:
            noisy = add_slice_noise(images, request.noise, request.sigma, request.seed, first)
            return scoring.reconstruct(model, noisy)

        task = VolumeTask(request.scan, "denoising" if request.sigma else "reconstruction", request.volume)
        target = VolumeTarget(Path(request.path), request.format, request.keep_patient_data)
        made = export_volume(task, run, transform, target, self._warm.job_context(request))
        return ExportVolumeReply(path=made["file"], slices=made["slices"], notes=tuple(made["notes"]))
