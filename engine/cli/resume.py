"""`resume`: go on with a run."""

from argparse import Namespace

from engine import config, runs
from engine.cli.outcome import Outcome
from engine.cli.stopping import StopWish
from engine.cli.train import meter, outcome
from engine.training import job


def run(options: Namespace) -> Outcome:
    """Go on with a run from its last complete epoch."""
    typed = {"epochs": options.epochs, "backend": options.backend}
    wanted = config.from_flat({name: value for name, value in typed.items() if value is not None}).training
    epochs, backend = (None if value is None else getattr(wanted, name) for name, value in typed.items())
    opened = runs.open_run(options.run, options.runs)
    with StopWish() as wish:
        job.resume(opened, epochs=epochs, backend=backend, emit=meter(opened), should_stop=wish)
    return outcome(opened, options.runs)
