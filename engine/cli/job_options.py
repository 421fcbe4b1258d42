"""Options of the commands that start or control jobs: `train`, `resume`, `search`, `trials`, `demo` and `study`."""

import argparse
from pathlib import Path

from engine import config
from engine.cli.config_options import add_option, add_settings, summary
from engine.cli.program import PROGRAM, quote
from engine.config import SearchConfig, StudyConfig

TRAIN_EPILOG = """\
Command-line options override --preset or --config, which overrides the defaults.
Ctrl-C stops after the current batch and keeps the model; `resume` continues. Press it again to quit immediately."""

SEARCH_EPILOG = """\
All settings of `train` are available as fixed values; a setting fixed here is removed from the preset's search space.
--space FILE maps each setting to a list of values or to a range, with _ for - in names:
  {"latent": [256, 512], "learning_rate": {"low": 1e-4, "high": 1e-2, "log": true}}
  "when" limits it: {"model": ["ae", "vae"], "beta": {"low": 0.5, "high": 4, "when": {"model": ["vae"]}}}
Trials are compared by their best validation loss per image. No configuration is tried twice.
Ctrl-C stops the search; the same --name resumes it inside the interrupted trial."""


def add_train(command: argparse.ArgumentParser) -> None:
    """Add the options of `train`."""
    command.epilog = TRAIN_EPILOG
    command.usage = f"{PROGRAM} train [--data SOURCE] [--preset NAME | --config FILE] [--run NAME] [SETTINGS]"
    command.add_argument("--run", metavar="NAME", help="name of the new run (default: automatic, such as ae-0001)")
    titles = "; ".join(f"{name}: {title}" for name, title in config.presets().items())
    command.add_argument("--preset", metavar="NAME", help=f"settings to start from. {titles}")
    command.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="settings to start from: config.json of a run, its folder or its name",
    )
    add_settings(command)


def add_resume(command: argparse.ArgumentParser) -> None:
    """Add the options of `resume`."""
    command.add_argument("run", metavar="RUN", help="name or folder of the run")
    command.add_argument(
        "--epochs",
        metavar="N",
        help=(
            "new total number of epochs (default: unchanged). With a cosine schedule or warm-up, the "
            "learning-rate schedule is recomputed for N epochs"
        ),
    )
    backends = next(spec for spec in config.list_fields(config.TrainingConfig) if spec.name == "backend")
    command.add_argument(
        "--backend",
        metavar="|".join(backends.choices),
        help=(
            "resume on this Keras backend, with the same weights and optimizer state; results will be close but "
            "not bit-identical (default: as before)"
        ),
    )


def add_demo(command: argparse.ArgumentParser) -> None:
    """Add the options of `demo`."""
    command.description = (
        "Generate phantoms, train an AE and a VAE on them for a few epochs, and write a one-page HTML report "
        "with learning curves, reconstructions and metrics. Takes a few minutes on two CPU cores."
    )
    command.usage = f"{PROGRAM} demo [--out DIR] [SETTINGS]"
    command.epilog = (
        "All settings of `train` are available and apply to both models; --data runs the demo on your images."
    )
    command.add_argument(
        "--out", type=Path, metavar="DIR", help="folder for the report (default: 'demo' next to the runs folder)"
    )
    add_settings(command, models=False)


def add_study(command: argparse.ArgumentParser) -> None:
    """Add the options of `study`."""
    command.description = (
        "Reproduce the reference study (a 2024 course report: AE and VAE on the Brain Tumor MRI images): search "
        "its spaces for models, or with --quick train only its two best configurations; evaluate them; and write "
        "Tables 1 to 4, Figures 5 to 13 and one self-contained HTML page that compares every published number "
        "with your result. Run the same command again to resume."
    )
    command.usage = f"{PROGRAM} study --data SOURCE --out DIR [--quick | --trials-ae N --trials-vae N] [SETTINGS]"
    command.epilog = (
        "All settings of `train` are available and apply to both models; a setting that you give is not "
        "searched. The searches are named ae and vae; those started with `search --name ae --runs DIR/runs` are "
        "continued. With settings other than the reference study's, the results are not comparable, and the page "
        "says so."
    )
    command.add_argument(
        "--out", type=Path, metavar="DIR", required=True, help="folder of the study: runs, tables, figures, page"
    )
    group = command.add_argument_group("study", summary(StudyConfig))
    for spec in config.list_fields(StudyConfig):
        add_option(group, spec)
    add_settings(command, models=False)


def add_search(command: argparse.ArgumentParser) -> None:
    """Add the options of `search`."""
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
    """Add the options of `trials`."""
    command.add_argument("name", metavar="NAME", help="name of the search")
    exclusive = command.add_mutually_exclusive_group()
    for verb in ("stop", "pause", "continue"):
        text = {"continue": "resume a paused search"}.get(verb, f"{verb} the running search")
        exclusive.add_argument(f"--{verb}", dest="verb", action="store_const", const=verb, help=text)
    exclusive.add_argument(
        "--stop-trial", type=int, metavar="N", help="stop trial N and keep its run; the search continues"
    )
    exclusive.add_argument(
        "--enqueue", metavar="JSON", help="add a trial with these values, such as " + quote('{"latent": 256}')
    )
    exclusive.add_argument(
        "--space", type=Path, metavar="FILE", help="use another search space from now on; finished trials are kept"
    )
    exclusive.add_argument("--trials", type=int, metavar="N", help="change the total number of trials")
