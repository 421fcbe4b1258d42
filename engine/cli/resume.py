"""`resume`: go on with a run."""

from argparse import Namespace

from engine import config, runs, training
from engine.cli.outcome import Outcome
from engine.cli.stopping import StopWish
from engine.cli.train import meter, outcome


def run(options: Namespace) -> Outcome:
    """Go on with a run from its last complete epoch."""
    epochs = None if options.epochs is None else config.build({"epochs": options.epochs}).training.epochs
    opened = runs.open(options.run, options.runs)
    with StopWish() as wish:
        training.resume(opened, epochs=epochs, emit=meter(opened), should_stop=wish)
    return outcome(opened, options.runs)
