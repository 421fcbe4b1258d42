"""`study`: a reproduction of the reference study: trials, tables, figures, one page."""

import sys
from argparse import Namespace
from typing import Any

from engine import config
from engine.cli.config_options import settings
from engine.cli.console import CommandResult, ConsoleProgress, GracefulInterrupt
from engine.cli.program import INTERRUPTED
from engine.config import DataConfig, StudyConfig
from engine.data import loading
from engine.errors import ConfigError
from engine.formatting import format_duration
from engine.messages import RunStudy
from engine.reproduction import job


def run(options: Namespace) -> CommandResult:
    """Start a study, or resume the one in the folder."""
    if options.runs is not None:
        raise ConfigError("A study keeps its runs in its own folder.", "Remove --runs; the runs are in OUT/runs.")
    given = settings(options)
    loading.check_folders(
        config.from_flat({name: given[name] for name in DataConfig.model_fields if name in given}).data
    )
    order = RunStudy(out=str(options.out), config=_chosen(options), settings=given)
    with GracefulInterrupt() as interrupt:
        content = job.run_study(order, emit=ConsoleProgress(sys.stderr), should_stop=interrupt)
    if content["state"] == "stopped":
        done = sum(each["state"] == "finished" for each in content["runs"])
        text = f"Stopped with {done} of {content['planned']} runs finished; everything is saved in {content['path']}\n"
        return CommandResult(
            f"{text}Resume: run the same command again.", content, 0 if content["runs"] else INTERRUPTED
        )
    return CommandResult(_text(content), content)


def _chosen(options: Namespace) -> StudyConfig:
    names = StudyConfig.model_fields
    return config.validate(StudyConfig, {name: value for name, value in vars(options).items() if name in names})


def _text(content: dict[str, Any]) -> str:
    lines = [
        f"{row['title']}: reference study {row['paper']}, here {row['here']}, deduplicated test images {row['clean']}"
        for row in content["numbers"]
    ]
    failed = [each["name"] for each in content["runs"] if each["state"] != "finished"]
    if failed:
        lines.append(f"Not finished: {', '.join(failed)}. See the log files in {content['path']}")
    lines.append(f"The page is {content['page']} (total time {format_duration(content['elapsed_s'])})")
    return "\n".join(lines)
