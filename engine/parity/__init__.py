"""Parity check: differences between the activations of the same weights on every backend. Imports no Keras itself.

Each backend computes in a process of its own (`engine.parity.child`), since Keras chooses one at its import. Settings
there make float32 comparable: without oneDNN's reordered sums and NVIDIA's TF32 products, with full precision.
"""

import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine import backend
from engine.child_process import module_command, run_process
from engine.errors import BackendError, RunDamaged, TrainingError
from engine.job_context import UNATTENDED, JobContext
from engine.parity import comparison
from engine.parity.comparison import LIMIT, LayerComparison, Recording
from engine.runs import Run

CHILD = "engine.parity.child"
PLAIN_FLOATS = {
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "NVIDIA_TF32_OVERRIDE": "0",
    "JAX_DEFAULT_MATMUL_PRECISION": "highest",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


@dataclass(frozen=True)
class BackendStatus:
    """One backend: whether it is installed, how to install it, and its error."""

    installed: bool
    install: str
    version: str = ""
    device: str = ""
    error: str = ""


@dataclass(frozen=True)
class ParityResult:
    """Result of a parity check.

    Args:
        run: name of the run.
        model: kind of the model.
        images: number of images.
        backends: name -> status, for every backend that Engram supports.
        layers: each layer in network order.
        outputs: outputs of the model: 'reconstruction', and for a variational model 'mean', 'log_var' and 'logits'.
    """

    run: str
    model: str
    images: int
    backends: dict[str, BackendStatus]
    layers: list[LayerComparison]
    outputs: list[LayerComparison]

    @property
    def first_difference(self) -> LayerComparison | None:
        """Return the first layer, or else output, whose backends differ by more than `LIMIT`; None if none do."""
        return next((each for each in [*self.layers, *self.outputs] if not each.ok), None)

    @property
    def ok(self) -> bool:
        """Return whether every installed backend computed, and all agree everywhere."""
        failed = any(side.error for side in self.backends.values())
        return not failed and self.first_difference is None

    def content(self) -> dict[str, Any]:
        """Return everything as JSON types."""
        first = self.first_difference
        return {
            "run": self.run,
            "model": self.model,
            "ok": self.ok,
            "limit": LIMIT,
            "images": self.images,
            "first_difference": first and {"name": first.name, "backends": list(first.outlier)},
            "missing": [name for name, side in self.backends.items() if not side.installed],
            "backends": {name: asdict(side) for name, side in self.backends.items()},
            "layers": [each.content() for each in self.layers],
            "outputs": [each.content() for each in self.outputs],
        }


def check(run: Run, images: NDArray[np.float32], context: JobContext = UNATTENDED) -> ParityResult:
    """Run images through the best model of a run on every installed backend, and compare the activations.

    Args:
        run: the run.
        images: (n, size, size, 1) float32 in [0, 1].
        context: asked between backends whether to stop; receives the backends done and in all.

    Returns:
        The result, with differences as defined in `comparison`.

    Raises:
        BackendError: fewer than two backends are installed.
        RunDamaged: the run has no model yet.
        TrainingError: fewer than two of them could compute the model.
        Cancelled: the caller asked to stop.
    """
    installed = _installed()
    if not run.model_path.is_file():
        raise RunDamaged.without_model(run.name)
    errors: dict[str, str] = {}
    recorded: dict[str, Recording] = {}
    with tempfile.TemporaryDirectory(prefix="engram-parity-") as folder:
        np.save(Path(folder) / "images.npy", images)
        for done, name in enumerate(installed):
            context.check()
            context.with_title(f"Computing on {name}").report(done, len(installed))
            errors[name] = _compute(run, name, Path(folder), context)
            if not errors[name]:
                recorded[name] = Recording(Path(folder) / name)
        context.with_title("Comparing").report(len(installed), len(installed))
        if len(recorded) < 2:
            said = " ".join(f"{name}: {error}" for name, error in errors.items() if error)
            raise TrainingError(
                f"Fewer than two backends could compute run '{run.name}'. {said}",
                "Fix these errors, or install another backend.",
            )
        layers, outputs = comparison.compare(recorded)
        sides = {name: _side(name, recorded.get(name), errors.get(name, "")) for name in backend.INSTALL_HINTS}
    return ParityResult(run.name, run.config.model.model, len(images), sides, layers, outputs)


def _installed() -> list[str]:
    installed = backend.installed()
    if len(installed) < 2:
        missing = [name for name in backend.INSTALL_HINTS if name not in installed]
        lines = "; ".join(f"{name}: {backend.INSTALL_HINTS[name]}" for name in missing)
        there = f"only {installed[0]}" if installed else "none"
        raise BackendError(
            f"Two backends are needed for a comparison; {there} is installed.", f"Install another: {lines}."
        )
    return installed


def _compute(run: Run, name: str, folder: Path, context: JobContext) -> str:
    """Compute on one backend in a process that writes into `folder/name`; return its error message, or ''.

    Raises:
        Cancelled: the caller asked to stop.
    """
    command = module_command(CHILD, name, str(run.path), str(folder / "images.npy"), str(folder / name))
    finished = run_process(command, PLAIN_FLOATS, check=context.check)
    if not finished.returncode:
        return ""
    said = finished.stderr.decode(errors="replace").strip().splitlines() or [f"exit status {finished.returncode}"]
    return said[-1][:300]


def _side(name: str, recorded: Recording | None, error: str) -> BackendStatus:
    version, device = (recorded.version, recorded.device) if recorded else ("", "")
    return BackendStatus(recorded is not None or bool(error), backend.INSTALL_HINTS[name], version, device, error)
