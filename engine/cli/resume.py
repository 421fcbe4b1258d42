"""`resume`: go on with a run."""

from argparse import Namespace

from engine import config, runs, training
from engine.cli.outcome import Outcome
from engine.cli.train import carry_out


def run(options: Namespace) -> Outcome:
    """Go on with a run from its last complete epoch."""
    epochs = None if options.epochs is None else config.build({"epochs": options.epochs}).training.epochs
    return carry_out(training.resume, runs.open(options.run, options.runs), epochs, options.runs)
