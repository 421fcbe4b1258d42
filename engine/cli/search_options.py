"""What can be typed after `search` and `trials`."""

import argparse
from pathlib import Path

from engine import config
from engine.cli.config_options import PROGRAM, add_option, add_settings, summary
from engine.config import SearchConfig

SEARCH_EPILOG = f"""\
All settings of `train` are available as fixed values; a setting fixed here is removed from the preset's search space.
--space FILE maps each setting to a list of values or to a range, with _ for - in names:
  {{"latent": [256, 512], "learning_rate": {{"low": 1e-4, "high": 1e-2, "log": true}}}}
  "when" limits it: {{"model": ["ae", "vae"], "beta": {{"low": 0.5, "high": 4, "when": {{"model": ["vae"]}}}}}}
Trials are compared by their best validation loss per image. No configuration is tried twice.
Ctrl-C stops the search; the same --name resumes it inside the interrupted trial.

examples:
  {PROGRAM} search --preset study-ae --data ~/brain-tumor-mri --trials 17 --name ae
  {PROGRAM} search --name ae --trials 30
  {PROGRAM} search --data phantom --size 32 --space space.json --algorithm random --trials 10 --name small"""

TRIALS_EPILOG = f"""\
examples:
  {PROGRAM} trials ae --json
  {PROGRAM} trials ae --enqueue '{{"learning_rate": 0.0003, "latent": 512}}'"""


def add_search(command: argparse.ArgumentParser) -> None:
    """The options of `search`."""
    command.epilog = SEARCH_EPILOG
    command.usage = f"{PROGRAM} search --name NAME [--preset NAME] [--space FILE] [--trials N] [SETTINGS]"
    command.add_argument("--name", required=True, help="search name; an existing search is resumed")
    command.add_argument(
        "--preset", metavar="NAME", help="preset with settings and search space to start from: study-ae or study-vae"
    )
    command.add_argument(
        "--space", type=Path, metavar="FILE", help="search space as a JSON file, instead of the preset's"
    )
    command.add_argument(
        "--sweep-yaml",
        type=Path,
        metavar="FILE",
        help="also write the search space as a W&B sweep, for `wandb sweep FILE`",
    )
    command.add_argument(
        "--retry-failed", action="store_true", help="run failed trials again, from their last completed epochs"
    )
    how = command.add_argument_group("search", summary(SearchConfig))
    for spec in config.list_fields(SearchConfig):
        add_option(how, spec)
    add_settings(command, without=[spec.name for spec in config.list_fields(SearchConfig)])


def add_trials(command: argparse.ArgumentParser) -> None:
    """The options of `trials`."""
    command.epilog = TRIALS_EPILOG
    command.add_argument("name", metavar="NAME", help="name of the search")
    told = command.add_mutually_exclusive_group()
    for verb in ("stop", "pause", "continue"):
        text = {"continue": "resume a paused search"}.get(verb, f"{verb} the running search")
        told.add_argument(f"--{verb}", dest="verb", action="store_const", const=verb, help=text)
    told.add_argument("--stop-trial", type=int, metavar="N", help="stop trial N and keep its run; the search continues")
    told.add_argument("--enqueue", metavar="JSON", help="add a trial with these values, such as '{\"latent\": 256}'")
    told.add_argument(
        "--space", type=Path, metavar="FILE", help="use another search space from now on; finished trials are kept"
    )
    told.add_argument("--trials", type=int, metavar="N", help="change the total number of trials")
