"""What can be typed after `search` and `trials`."""

import argparse
from pathlib import Path

from engine import config
from engine.cli.setting_options import PROGRAM, add_option, add_settings, summary
from engine.config import SearchConfig

SEARCH_EPILOG = f"""\
Every setting of `train` is taken too, as a fixed value; one that the preset's space varies is then no longer varied.
--space FILE maps a setting to a list, or to a range, with _ for - in names:
  {{"latent": [256, 512], "learning_rate": {{"low": 1e-4, "high": 1e-2, "log": true}}}}
  "when" limits it: {{"model": ["ae", "vae"], "beta": {{"low": 0.5, "high": 4, "when": {{"model": ["vae"]}}}}}}
Trials are compared by their best validation loss per image. No configuration is tried twice.
Ctrl-C stops; the same --name goes on inside the trial that was running.

examples:
  {PROGRAM} search --preset seed-ae --data ~/brain-tumor-mri --trials 17 --name ae
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
    command.add_argument("--name", required=True, help="name of the search; one that there is already is gone on with")
    command.add_argument("--preset", metavar="NAME", help="settings and space to start from: seed-ae or seed-vae")
    command.add_argument("--space", type=Path, metavar="FILE", help="what varies, as JSON; instead of the preset's")
    command.add_argument(
        "--sweep-yaml", type=Path, metavar="FILE", help="also write the space as a W&B sweep, for `wandb sweep FILE`"
    )
    command.add_argument(
        "--retry-failed", action="store_true", help="try trials that failed again, from their last complete epochs"
    )
    how = command.add_argument_group("search", summary(SearchConfig))
    for spec in config.fields(SearchConfig):
        add_option(how, spec)
    add_settings(command, without=[spec.name for spec in config.fields(SearchConfig)])


def add_trials(command: argparse.ArgumentParser) -> None:
    """The options of `trials`."""
    command.epilog = TRIALS_EPILOG
    command.add_argument("name", metavar="NAME", help="name of the search")
    told = command.add_mutually_exclusive_group()
    for verb in ("stop", "pause", "continue"):
        text = {"continue": "let a paused search go on"}.get(verb, f"{verb} the search that is running")
        told.add_argument(f"--{verb}", dest="verb", action="store_const", const=verb, help=text)
    told.add_argument("--stop-trial", type=int, metavar="N", help="stop trial N and keep its run; the search goes on")
    told.add_argument("--enqueue", metavar="JSON", help="""values to try next, such as '{"latent": 256}'""")
    told.add_argument("--space", type=Path, metavar="FILE", help="search another space from now on; trials are kept")
    told.add_argument("--trials", type=int, metavar="N", help="try so many configurations in all")
