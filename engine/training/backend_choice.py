"""The fastest installed backend for a run on this machine: a few steps on each, measured once and kept.

python -m engine.training.backend_choice SETTINGS     measures one backend, as a child process of `resolve_backend`
"""

import json
import os
import platform
import subprocess
import sys

from engine import backend, config
from engine.child_process import module_command, run_process
from engine.config import AUTO_BACKEND, BACKEND_TITLES, RunConfig
from engine.folders import cache_root
from engine.formatting import format_number
from engine.job_context import Cancelled, JobContext
from engine.messages import Emit, Event, RunEstimated, ShouldStop, never_stop
from engine.result_cache import ResultCache, fingerprint
from engine.training.estimate import estimate

LIMIT_S = 120.0  # for the import, the compilation and a few steps; what takes longer is not the fastest


def resolve_backend(chosen: RunConfig, context: JobContext, is_in_process: bool = True) -> tuple[RunConfig, str]:
    """Return the settings with the fastest backend in place of 'auto', and a sentence that says why.

    Args:
        chosen: the settings of the run; a backend that they name stays, and the sentence is then empty.
        context: may cancel.
        is_in_process: whether this process will train. It then stays with the backend that it has loaded.

    Raises:
        BackendError: no backend is installed.
        Cancelled: the caller asked to stop.

    Example:
        >>> resolve_backend(config.from_flat({"backend": "jax"}), JobContext())[1]
        ''
    """
    if chosen.training.backend != AUTO_BACKEND:
        return chosen, ""
    usual = backend.find_backend("tensorflow")
    if is_in_process and "keras" in sys.modules:
        return _with_backend(chosen, usual), f"Backend: {BACKEND_TITLES[usual]}, which this process uses already."
    if backend.installed() == [usual]:
        return _with_backend(chosen, usual), f"Backend: {BACKEND_TITLES[usual]}, the only one that is installed."
    speeds = measure_speeds(chosen, context)
    known = {name: speed for name, speed in speeds.items() if speed}
    name = max(known, key=lambda each: known[each]) if known else usual
    return _with_backend(chosen, name), describe_choice(name, speeds)


def measure_speeds(chosen: RunConfig, context: JobContext) -> dict[str, float | None]:
    """Return the images per second of training on each installed backend; None for one that could not train.

    They are kept in the cache for this model, these versions and this machine.

    Raises:
        Cancelled: the caller asked to stop.
    """
    names = backend.installed()
    versions = {name: backend.versions(name) for name in names}
    mark = fingerprint(config.cost_settings(chosen), versions, platform.processor(), platform.node(), os.cpu_count())
    cache = ResultCache(cache_root() / "backends.json")
    known: dict[str, float | None] | None = cache.get(mark, mark)
    if known is None:
        known = {}
        for name in names:
            known[name] = _measure_in_child(_with_backend(chosen, name), context)
        cache.keep(mark, known, mark)
    return known


def report_choice(chosen: RunConfig, token: str, emit: Emit, should_stop: ShouldStop = never_stop) -> None:
    """Emit which backend 'auto' stands for, as a `RunEstimated`.

    Args:
        chosen: the settings of the run.
        token: returned in the event, so that its receiver knows what it is about.
        emit: receives the event; it is not called after a stop.
        should_stop: asked several times a second.
    """
    try:
        resolved, reason = resolve_backend(chosen, JobContext(should_stop), is_in_process=False)
    except Cancelled:
        return
    name = resolved.training.backend
    emit(RunEstimated(token=token, is_complete=True, backend=name, backend_reason=reason))


def describe_choice(name: str, speeds: dict[str, float | None]) -> str:
    """Return a sentence that names the chosen backend and what each one reached."""
    others = [
        f"{BACKEND_TITLES[other]} {format_number(speed, 3)}" if speed else f"{BACKEND_TITLES[other]} could not train it"
        for other, speed in speeds.items()
        if other != name
    ]
    reached = speeds.get(name)
    if not reached:
        return f"Backend: {BACKEND_TITLES[name]}; no backend could be measured."
    return (
        f"Backend: {BACKEND_TITLES[name]}, the fastest here for this model: {format_number(reached, 3)} images/s "
        f"({', '.join(others)})."
    )


def _with_backend(chosen: RunConfig, name: str) -> RunConfig:
    return config.from_flat({"backend": name}, chosen)


def _measure_in_child(chosen: RunConfig, context: JobContext) -> float | None:
    """Return the images per second that a process of its own reaches. Returns None if it fails. Raises Cancelled."""
    context.check()
    command = module_command("engine.training.backend_choice", json.dumps(config.to_flat(chosen)), ignore_warnings=True)
    try:
        output = run_process(command, timeout_s=LIMIT_S, check=context.check).stdout.decode(errors="replace")
    except subprocess.TimeoutExpired:
        return None
    for line in reversed(output.splitlines()):
        if line.startswith("{"):
            return RunEstimated.model_validate_json(line).images_per_s
    return None


def _main(settings: str) -> None:
    def write(event: Event) -> None:
        sys.stdout.write(event.to_json_line())

    estimate(config.from_flat(json.loads(settings)), "", write)


if __name__ == "__main__":
    _main(sys.argv[1])
