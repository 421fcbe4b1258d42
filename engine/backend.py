"""Choose the framework that Keras computes with. Keras reads it once, at its import, so this comes before."""

import importlib
import importlib.metadata
import importlib.util
import os
import platform
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from engine import __version__, lean_import
from engine.config import TrainingConfig
from engine.errors import BackendError, TrainingError

INSTALL_HINTS = {
    "tensorflow": "pip install tensorflow",
    "torch": 'pip install "engram-mri[torch]"',
    "jax": 'pip install "engram-mri[jax]"',
}

# A worker warms up in one thread while a job begins in another, and the environment and stderr are the whole process's.
_importing = threading.Lock()


def installed() -> list[str]:
    """Backends that are installed, TensorFlow first."""
    return [name for name in INSTALL_HINTS if importlib.util.find_spec(name)]


def find_backend(wanted: str) -> str:
    """A backend to compute with where any will do: the one of this process, else the wanted one, else any installed.

    Raises:
        BackendError: none is installed.
    """
    found = installed()
    if "keras" in sys.modules:
        return str(importlib.import_module("keras").backend.backend())
    if not found:
        raise BackendError("No Keras backend is installed.", f"Install one: {INSTALL_HINTS['tensorflow']}.")
    return wanted if wanted in found else found[0]


def configure(training: TrainingConfig) -> None:
    """Make this process compute with the wanted backend, thread count and determinism.

    Raises:
        BackendError: the backend is not installed, or Keras already runs on another one in this process.
    """
    running = _loaded(training.backend)
    if running != training.backend:
        raise BackendError(
            f"This process already uses the {running} backend.", f"Start a new process to use {training.backend}."
        )
    _CONFIGURE[training.backend](training)


def preload(module: str, name: str) -> None:
    """Import a module that needs Keras on this backend, and settle nothing: threads and seed are the job's to come.

    Raises:
        BackendError: the backend is not installed.
    """
    if _loaded(name) == name:
        importlib.import_module(module)


def _loaded(name: str) -> str:
    """The backend that Keras computes with: this one, unless it already does with another.

    Raises:
        BackendError: it is not installed.
    """
    if name not in installed():
        raise BackendError(f"The backend {name} is not installed.", f"Install it: {INSTALL_HINTS[name]}.")
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = name
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
        os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # the window's two engines share a card
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    keras = _keras(name)
    set_keras_conventions()
    return str(keras.backend.backend())


def set_keras_conventions() -> None:
    """Set what Engram's models rely on: float32, channels last, an epsilon of 1e-7.

    Keras takes these from `~/.keras/keras.json`, which another project may have written, or from the program that
    imported Keras before Engram.
    """
    conventions = importlib.import_module("keras").config
    conventions.set_floatx("float32")
    conventions.set_image_data_format("channels_last")
    conventions.set_epsilon(1e-7)


def _keras(backend: str) -> ModuleType:
    """Import Keras quickly and silently, without the user's settings of Keras."""
    spared = (*lean_import.OPTIONAL, "jax") if backend in ("tensorflow", "torch") else lean_import.OPTIONAL
    with _importing, _frameworks_silenced(), lean_import.hide_packages(spared), _user_settings_ignored():
        return importlib.import_module("keras")


@contextmanager
def _user_settings_ignored() -> Iterator[None]:
    """Let Keras find no `keras.json`: it does not import with a wrong one, and it writes one where there is none."""
    before = os.environ.get("KERAS_HOME")
    os.environ["KERAS_HOME"] = os.path.join(os.devnull, "keras")  # no such folder, and none can be made
    try:
        yield
    finally:
        os.environ.pop("KERAS_HOME")
        if before is not None:
            os.environ["KERAS_HOME"] = before


def import_without_compute() -> None:
    """Import Keras to compute nothing: on numpy, which starts quicker and stays small, where it can (it needs JAX).

    Raises:
        BackendError: no backend is installed.
    """
    if "keras" in sys.modules:
        return
    name = "numpy" if importlib.util.find_spec("jax") else find_backend("tensorflow")
    before = os.environ.get("KERAS_BACKEND")
    os.environ["KERAS_BACKEND"] = name
    _keras(name)
    del os.environ["KERAS_BACKEND"]  # the processes it starts choose for themselves
    if before:
        os.environ["KERAS_BACKEND"] = before


def import_on_any_backend(module: str, training: TrainingConfig) -> ModuleType:
    """Import a module that needs Keras and computes nothing with it: on the backend that is there, else the wanted one.

    Raises:
        BackendError: as `configure`.
    """
    if "keras" not in sys.modules:
        configure(training)
    return importlib.import_module(module)


@contextmanager
def _frameworks_silenced() -> Iterator[None]:
    """Keep what TensorFlow's C++ parts say at their import, before they honour any log level, off the terminal."""
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as sink:
        os.dup2(sink.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def import_on_backend(module: str, training: TrainingConfig) -> ModuleType:
    """Import a module that needs Keras, after choosing the backend for it.

    Raises:
        BackendError: as `configure`.
    """
    configure(training)
    return importlib.import_module(module)


def _configure_tensorflow(training: TrainingConfig) -> None:
    tensorflow = importlib.import_module("tensorflow")
    tensorflow.get_logger().setLevel("ERROR")  # it warns of the second batch size that a model sees
    if training.threads:
        try:
            tensorflow.config.threading.set_intra_op_parallelism_threads(training.threads)
            tensorflow.config.threading.set_inter_op_parallelism_threads(training.threads)
        except RuntimeError:
            raise BackendError(
                "TensorFlow's number of threads is already fixed in this process.", "Start a new process for this run."
            ) from None
    if training.deterministic:
        importlib.import_module("keras").utils.set_random_seed(training.seed)
        tensorflow.config.experimental.enable_op_determinism()


def _configure_torch(training: TrainingConfig) -> None:
    torch = importlib.import_module("torch")
    if training.threads:
        torch.set_num_threads(training.threads)
    torch.use_deterministic_algorithms(training.deterministic, warn_only=True)


def _configure_jax(training: TrainingConfig) -> None:
    if training.deterministic and "xla_gpu_deterministic_ops" not in os.environ.get("XLA_FLAGS", ""):
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_gpu_deterministic_ops=true".strip()


_CONFIGURE = {"tensorflow": _configure_tensorflow, "torch": _configure_torch, "jax": _configure_jax}


def device() -> str:
    """Name of the device that Keras computes on in this process, such as 'CPU' or 'GPU 0'."""
    keras = importlib.import_module("keras")
    if keras.backend.backend() == "tensorflow":
        cards = importlib.import_module("tensorflow").config.list_physical_devices("GPU")
        return "GPU 0" if cards else "CPU"
    if keras.backend.backend() == "torch":
        return "GPU 0" if importlib.import_module("torch").cuda.is_available() else "CPU"
    return "CPU" if importlib.import_module("jax").default_backend() == "cpu" else "GPU 0"


def versions(name: str) -> dict[str, str]:
    """Versions that a result depends on: Python, Engram's engine, Keras, the backend, numpy."""
    found = {package: importlib.metadata.version(package) for package in ("keras", name, "numpy")}
    return {"python": platform.python_version(), "engram": __version__, **found}


def describe_environment(training: TrainingConfig) -> dict[str, Any]:
    """What must be equal for the same settings to give the same bits; kept with every checkpoint."""
    return {
        "versions": versions(training.backend),
        "backend": training.backend,
        "device": device(),
        "threads": training.threads or os.cpu_count(),
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS", ""),
        "deterministic": training.deterministic,
        "machine": platform.machine(),
    }


def describe_failure(error: BaseException) -> TrainingError:
    """Turn what a framework raised into a sentence: out of memory, or the first line of what it said."""
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    signs = ("out of memory", "oom", "resource_exhausted", "resource exhausted", "cannot allocate")
    if isinstance(error, MemoryError) or any(sign in f"{type(error).__name__} {error}".lower() for sign in signs):
        return TrainingError(
            "There is not enough memory for this model.", "Use a smaller batch size, image size or latent size."
        )
    return TrainingError(f"{device()} could not compute a training step: {text[:300]}", "See the log of the run.")
