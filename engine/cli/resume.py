"""`resume`: resume or extend a run."""

from argparse import Namespace

from engine import config, runs
from engine.cli.result import CommandResult
from engine.cli.signals import GracefulInterrupt
from engine.cli.train import training_console, training_result
from engine.training import job


def run(options: Namespace) -> CommandResult:
    """Resume a run from its last complete epoch."""
    typed = {"epochs": options.epochs, "backend": options.backend}
    wanted = config.from_flat({name: value for name, value in typed.items() if value is not None}).training
    epochs, backend = (None if value is None else getattr(wanted, name) for name, value in typed.items())
    opened = runs.open_run(options.run, options.runs)
    with GracefulInterrupt() as interrupt:
        job.resume(opened, epochs=epochs, backend=backend, emit=training_console(opened), should_stop=interrupt)
    return training_result(opened, options.runs)
