"""Choice of the Keras backend. Keras reads it once, when it is imported, so this module comes first."""

import gc
import importlib
import importlib.metadata
import importlib.util
import os
import platform
import sys
import tempfile
import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any, Final, cast

from engine import __version__
from engine.config import TrainingConfig
from engine.errors import BackendError, TrainingError, describe_lack_of_memory, is_out_of_memory
from engine.job_context import importing

INSTALL_HINTS = {
    "tensorflow": "pip install tensorflow",
    "torch": 'pip install "engram-mri[torch]"',
    "jax": 'pip install "engram-mri[jax]"',
}
# Keras tries to import these for inputs, plots and wrappers that Engram does not use, and TensorFlow imports JAX for
# its converter to TensorFlow Lite. Both work without them, and then start in a quarter to nearly half less time.
OPTIONAL_PACKAGES: Final = ("pandas", "matplotlib", "sklearn")
# A worker warms up in one thread while a job begins in another; the environment and stderr belong to the process.
_importing = threading.Lock()


def installed() -> list[str]:
    """Return the installed backends, TensorFlow first."""
    return [name for name in INSTALL_HINTS if importlib.util.find_spec(name)]


def find_backend(wanted: str) -> str:
    """Return a backend where any will do: the one of this process, else the wanted one, else any installed.

    Raises:
        BackendError: no backend is installed.
    """
    found = installed()
    if "keras" in sys.modules:
        import keras

        return str(keras.backend.backend())
    if not found:
        raise BackendError("No Keras backend is installed.", f"Install one: {INSTALL_HINTS['tensorflow']}.")
    return wanted if wanted in found else found[0]


def configure(training: TrainingConfig) -> None:
    """Configure this process: backend, thread count and determinism of the training settings.

    The backend 'auto' stands for any here; `engine.training.backend_choice` finds the fastest.

    Raises:
        BackendError: the backend is not installed, or Keras already uses another one in this process.
    """
    wanted = find_backend("tensorflow") if training.backend == "auto" else training.backend
    running = _loaded(wanted)
    if running != wanted:
        raise BackendError(f"This process already uses the {running} backend.", f"Start a new process to use {wanted}.")
    _CONFIGURE[wanted](training)


def preload(module: str, name: str) -> None:
    """Import a module that needs Keras on this backend; threads and seed are left to the job.

    Raises:
        BackendError: the backend is not installed.
    """
    if _loaded(name) == name:
        _import(module)


def _import(module: str) -> ModuleType:
    with importing():
        return importlib.import_module(module)


def _loaded(name: str) -> str:
    """Load Keras on this backend, unless another one is loaded already; return the one in use.

    Raises:
        BackendError: the backend is not installed.
    """
    if name not in installed():
        raise BackendError(f"The backend {name} is not installed.", f"Install it: {INSTALL_HINTS[name]}.")
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = name
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
        os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")  # the app's two engine processes share a GPU
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    keras = _keras(name)
    set_keras_conventions()
    return str(keras.backend.backend())


def set_keras_conventions() -> None:
    """Set the conventions of Engram's models: float32, channels last, an epsilon of 1e-7.

    Keras reads them from `~/.keras/keras.json`, which another project may have written, or keeps those of the
    program that imported Keras before Engram.
    """
    import keras

    keras.config.set_floatx("float32")
    keras.config.set_image_data_format("channels_last")
    keras.config.set_epsilon(1e-7)


def _keras(backend: str) -> ModuleType:
    """Import Keras quickly and silently, without the user's Keras settings."""
    spared = (*OPTIONAL_PACKAGES, "jax") if backend in ("tensorflow", "torch") else OPTIONAL_PACKAGES
    with (
        importing(),
        _importing,
        _frameworks_silenced(),
        hide_packages(spared),
        _user_settings_ignored(),
        _garbage_left(),
    ):
        try:
            import keras
        except ImportError as error:
            advice = "Close other programs if the memory is full, or install it again: " + INSTALL_HINTS[backend]
            raise BackendError(f"The backend {backend} is installed, but cannot be loaded.", f"{advice}.") from error
        return cast(ModuleType, keras)


@contextmanager
def _user_settings_ignored() -> Iterator[None]:
    """Hide `keras.json` from Keras: it fails to import with an invalid one and writes one if missing."""
    before = os.environ.get("KERAS_HOME")
    os.environ["KERAS_HOME"] = os.path.join(os.devnull, "keras")  # this folder cannot exist
    try:
        yield
    finally:
        os.environ.pop("KERAS_HOME")
        if before is not None:
            os.environ["KERAS_HOME"] = before


@contextmanager
def _garbage_left() -> Iterator[None]:
    """Collect no garbage: a framework's import creates 300,000 objects that stay, and starts an eighth sooner so."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def import_without_compute() -> None:
    """Import Keras without computing: on numpy, which starts faster and stays small, if JAX is installed.

    Raises:
        BackendError: no backend is installed.
    """
    if "keras" in sys.modules:
        return
    name = "numpy" if importlib.util.find_spec("jax") else find_backend("tensorflow")
    before = os.environ.get("KERAS_BACKEND")
    os.environ["KERAS_BACKEND"] = name
    _keras(name)
    del os.environ["KERAS_BACKEND"]  # child processes choose their own backend
    if before:
        os.environ["KERAS_BACKEND"] = before


def import_on_any_backend(module: str, training: TrainingConfig) -> ModuleType:
    """Import a module that needs Keras but computes nothing: on the loaded backend, else the wanted one.

    Raises:
        BackendError: as `configure`.
    """
    if "keras" not in sys.modules:
        configure(training)
    return _import(module)


@contextmanager
def _frameworks_silenced() -> Iterator[None]:
    """Suppress the messages of TensorFlow's C++ parts at import, which ignore every log level."""
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
    """Configure the backend, then import a module that needs Keras.

    Raises:
        BackendError: as `configure`.
    """
    configure(training)
    return _import(module)


def _configure_tensorflow(training: TrainingConfig) -> None:
    import tensorflow

    tensorflow.get_logger().setLevel("ERROR")  # it warns about the second batch size of a model
    if training.threads:
        try:
            tensorflow.config.threading.set_intra_op_parallelism_threads(training.threads)
            tensorflow.config.threading.set_inter_op_parallelism_threads(training.threads)
        except RuntimeError:
            raise BackendError(
                "TensorFlow's number of threads is already fixed in this process.", "Start a new process for this run."
            ) from None
    if training.deterministic:
        import keras

        keras.utils.set_random_seed(training.seed)
        tensorflow.config.experimental.enable_op_determinism()


def _configure_torch(training: TrainingConfig) -> None:
    import torch

    if training.threads:
        torch.set_num_threads(training.threads)
    torch.use_deterministic_algorithms(training.deterministic, warn_only=True)
    # Else every new tensor is first filled with NaN, a seventh of a step, though none is read before it is written.
    torch.utils.deterministic.fill_uninitialized_memory = False


def _configure_jax(training: TrainingConfig) -> None:
    if training.deterministic and "xla_gpu_deterministic_ops" not in os.environ.get("XLA_FLAGS", ""):
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_gpu_deterministic_ops=true".strip()


_CONFIGURE = {"tensorflow": _configure_tensorflow, "torch": _configure_torch, "jax": _configure_jax}


def set_seed(seed: int) -> None:
    """Set every global seed. Keras would import TensorFlow for it on any backend: half a gigabyte and five seconds."""
    import keras

    with hide_packages(() if keras.backend.backend() == "tensorflow" else ("tensorflow",)):
        keras.utils.set_random_seed(seed)


def device() -> str:
    """Return the name of the device that Keras uses in this process, such as 'CPU' or 'GPU 0'."""
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow

        cards = tensorflow.config.list_physical_devices("GPU")
        return "GPU 0" if cards else "CPU"
    if keras.backend.backend() == "torch":
        import torch

        return "GPU 0" if torch.cuda.is_available() else "CPU"
    import jax

    return "CPU" if jax.default_backend() == "cpu" else "GPU 0"


def choose_precision(training: TrainingConfig) -> tuple[str, str]:
    """Return the number format in which layers are trained, 'float32' or 'bfloat16', and a sentence that says why."""
    if training.precision != "auto":
        return training.precision, f"Precision: {training.precision}, as requested."
    if training.backend != "torch":
        return "float32", "Precision: float32, since bfloat16 gains little on this backend."
    if not _has_bfloat16():
        return "float32", "Precision: float32, since this hardware does not compute with bfloat16."
    return "bfloat16", f"Precision: bfloat16, which {device()} computes with; the saved model stays float32."


def _has_bfloat16() -> bool:
    """Return whether PyTorch's device computes with bfloat16 natively."""
    import torch

    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return any(name in _read_cpu_flags() for name in ("avx512_bf16", "amx_bf16"))


def _read_cpu_flags() -> set[str]:
    """Return the instruction sets of the CPU; empty where the system does not list them."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return set()
    return set(next((line.split() for line in lines if line.startswith(("flags", "Features"))), []))


def versions(name: str) -> dict[str, str]:
    """Return the versions that a result depends on: Python, Engram's engine, Keras, the backend, numpy."""
    found = {package: importlib.metadata.version(package) for package in ("keras", name, "numpy")}
    return {"python": platform.python_version(), "engram": __version__, **found}


def describe_environment(training: TrainingConfig) -> dict[str, Any]:
    """Return what must match for the same settings to give the same bits; saved with every checkpoint."""
    return {
        "versions": versions(training.backend),
        "backend": training.backend,
        "device": device(),
        "threads": training.threads or os.cpu_count(),
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS", ""),
        "deterministic": training.deterministic,
        "precision": choose_precision(training)[0],
        "machine": platform.machine(),
    }


def describe_failure(error: BaseException, batch_size: int | None = None) -> TrainingError:
    """Return a framework's exception as a readable error: out of memory, or the first line of its message."""
    if is_out_of_memory(error):
        return describe_lack_of_memory(batch_size)
    text = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return TrainingError(f"{device()} could not compute a training step: {text[:300]}", "See the log of the run.")


@contextmanager
def hide_packages(names: Collection[str]) -> Iterator[None]:
    """Hide packages of these names from this thread's imports, except those that are imported already.

    Args:
        names: top-level packages whose importers handle their absence.
    """
    absent = _ImportBlocker(names)
    sys.meta_path.insert(0, absent)
    try:
        yield
    finally:
        sys.meta_path.remove(absent)


class _ImportBlocker(MetaPathFinder, Loader):
    """Import hook that finds the packages first and then fails to load them; other threads are unaffected."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = frozenset(names)
        self._thread = threading.get_ident()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return a spec for a hidden package, so that `importlib.util.find_spec` still finds it."""
        wanted = fullname in self._names and threading.get_ident() == self._thread
        return ModuleSpec(fullname, self) if wanted else None

    def exec_module(self, module: ModuleType) -> None:
        """Raise the error of a package that is not installed."""
        raise ModuleNotFoundError(f"No module named {module.__name__!r}: it is left out here", name=module.__name__)
