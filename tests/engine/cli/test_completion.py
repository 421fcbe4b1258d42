"""The scripts of the shells, in the shells themselves where they are installed."""

import shutil
import subprocess

import pytest

from engine import config
from engine.cli import completion, parser
from engine.cli.commands import COMMANDS


@pytest.fixture(scope="module")
def words():
    return completion.list_words()


def test_words_are_those_of_the_parser(words):
    assert list(words) == list(COMMANDS)
    train = {name: option for option in words["train"].options for name in option.names}
    assert {"--data", "--latent", "--config", "--json", "-q"} <= set(train)
    assert "--normalisation" not in train, "former names stay hidden"
    assert train["--preset"].values == tuple(config.presets())
    assert train["--model"].values == tuple(config.MODELS)
    assert "rician" in train["--noise"].values, "too many to stand in the help beside the option"
    assert not train["--json"].takes_value
    assert words["runs"].actions == ("show", "rename", "delete")


@pytest.mark.parametrize("shell", completion.SCRIPTS)
def test_script_names_every_command_and_option(words, shell):
    script = completion.SCRIPTS[shell](words)
    for name, known in words.items():
        assert name in script
        assert all(option.names[0].lstrip("-") in script for option in known.options)
    assert parser.parse(["completion", shell]).shell == shell


ASKED = {
    "bash": "source {script}; COMP_WORDS=({line}); COMP_CWORD={at}; _engram; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
    "fish": "source {script}; complete -C '{line}'",
}


@pytest.mark.slow
@pytest.mark.parametrize("shell", ASKED)
def test_shell_completes(words, tmp_path, shell):
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    script = tmp_path / "script"
    script.write_text(completion.SCRIPTS[shell](words))
    (tmp_path / "runs" / "my-run").mkdir(parents=True)
    (tmp_path / "runs" / "my-run" / "config.json").touch()
    lines = {
        "engram tr": {"train", "trials"},
        "engram evaluate --split val": {"validation"},
        "engram train --preset study": {"study-ae", "study-vae"},
        "engram evaluate my": {"my-run"},
        "engram runs re": {"rename"},
        "engram train --favor": set(),
    }
    for line, wanted in lines.items():
        code = ASKED[shell].format(script=script, line=line, at=len(line.split()) - 1)
        environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "ENGRAM_RUNS": str(tmp_path / "runs")}
        asked = subprocess.run([program, "-c", code], env=environment, capture_output=True, text=True, check=True)
        assert {line.split("\t")[0] for line in asked.stdout.split("\n") if line} == wanted, (line, asked.stderr)
