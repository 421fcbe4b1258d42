"""What can be typed: commands, options in any place, suggestions, help that fits the terminal, exit status."""

import json
import shlex

import pytest

from engine import cli, config, runs
from engine.cli import analysis_options, parser, program
from engine.cli.commands import COMMANDS
from engine.cli.console import CommandResult
from engine.cli.program import CHECK_FAILED, DONE, EXIT_STATUS, INTERRUPTED, NOT_FOUND, PARTIAL, USER_ERROR
from engine.errors import ConfigError
from tests.trained_runs import TINY


@pytest.fixture
def run(tmp_path):
    return runs.create_run(config.from_flat(TINY), "first-ae", tmp_path)


EXAMPLES = [(name, example) for name, command in COMMANDS.items() for example in command.examples]


@pytest.mark.parametrize(("name", "example"), EXAMPLES, ids=[example for _, example in EXAMPLES])
def test_example_in_the_help_is_a_command(name, example):
    assert parser.parse(shlex.split(example.split(" > ")[0])).command == name


def test_each_command_has_an_example_in_its_help(call):
    for name, command in COMMANDS.items():
        assert f"  {program.PROGRAM} {command.examples[0]}\n" in call(name, "--help")[1]


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_help_fits_the_terminal_except_for_examples(call, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    for words in ([], ["--help"], *([name, "--help"] for name in COMMANDS), ["runs", "show", "--help"]):
        lines = call(*words)[1].splitlines()
        free = ("usage:", f"  {program.PROGRAM} ", "       ", "  {", '  "when')
        too_long = [line for line in lines if len(line) > columns and not line.startswith(free)]
        assert all(line.startswith("  -") and len(line.split()) == 2 for line in too_long), "an option and its choices"


def test_help_never_breaks_the_name_of_an_option(call, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    about = call("app", "--help")[1].partition("options:")[0]
    assert not [line for line in about.splitlines() if line.endswith("-")]
    assert "--install-shortcut adds" in " ".join(about.split())


@pytest.mark.parametrize("word", ["train", "runs"])
def test_help_may_follow_a_command(call, word):
    assert call(word, "help") == call(word, "--help")


@pytest.mark.parametrize("words", [["help", "train"], ["help", "runs", "show"], ["help"], ["help", "help"]])
def test_help_is_a_command(call, words):
    given, words = words, [*dict.fromkeys(words)]
    assert call(*given) == call(*words[1:], "--help")
    assert "usage: " + " ".join([program.PROGRAM, *words[1:]]) in call(*words)[1]


@pytest.mark.parametrize("word", ["-V", "--version", "version"])
def test_version(call, word):
    assert call(word) == (0, f"Engram {cli.__version__}\n", "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("trian", "There is no command 'trian'. Did you mean 'train'? See "),
        ("nothing", "There is no command 'nothing'. Commands: app, train"),
        ("runs shwo a", "There is no command 'shwo'. Did you mean 'show'?"),
        ("train --quite", "There is no option --quite. Did you mean --quiet? See "),
        ("train --xyz", "There is no option --xyz. See "),
        ("train phantom", "Unexpected argument 'phantom'. Did you mean --data phantom?"),
        ("train words", "Unexpected argument 'words'. See "),
        ("train --deterministic yes", "Unexpected argument 'yes': --deterministic takes no value. See "),
        ("runs show a b", "Unexpected argument 'b'. See "),
        ("evaluate a --split tset", "'tset' was given. Did you mean 'test'?"),
        ("train --preset study-a", "Did you mean 'study-ae'?"),
        ("reconstruct a b --bits 12", "--bits must be one of 8, 16; '12' was given. See "),
        ("TRAIN", "There is no command 'TRAIN'. Did you mean 'train'?"),
        ("ls", "There is no command 'ls'. Did you mean 'runs'?"),
        ("eval a", "There is no command 'eval'. Did you mean 'evaluate'?"),
        ("/?", "There is no command '/?'. Did you mean 'help'?"),
        ("runs rm a", "There is no command 'rm'. Did you mean 'delete'?"),
        ("runs list", "There is no command 'list'. engram runs alone lists the runs."),
        ("train -V", "-V stands without a command: engram -V. See "),
        ("runs show --version", "--version stands without a command: engram --version. See "),
        ("--epochs 3 train", "--epochs stands before the command. Write it after: engram train --epochs. See "),
        ("--epochs 3", "There is no command before --epochs. See "),
        ("--gui", "There is no option --gui. Did you mean engram app? See "),
        ("--jsn", "There is no option --jsn. Did you mean --json? See "),
        ("train \u2014epochs 3", "'\u2014epochs' begins with a dash of a text editor. Did you mean --epochs? See "),
        ("train -epochs 3", "There is no option -epochs. Did you mean --epochs? See "),
        ("train -help", "There is no option -help. Did you mean --help? See "),
        ("train --lr 1", "There is no option --lr. Did you mean --learning-rate? See "),
        ("runs --json=yes", "--json takes no value; 'yes' was given. See "),
        ("train --deterministic=yes", "--deterministic takes no value; 'yes' was given. See "),
        ("train --data", "--data needs a value. See "),
        (
            "denoise a b --roi -5,-5,9,9",
            "--roi needs a value; one that begins with a hyphen is written --roi=-5",
        ),
        ("reconstruct a b --slice x", "--slice must be a whole number; 'x' was given. See "),
        ("reconstruct", "RUN and IMAGE are missing, as in: engram reconstruct first-ae head.png --out "),
        ("runs rename a", "NAME is missing, as in: engram runs rename ae-0001 first-ae. See "),
        ("trials a --pause --stop", "--pause and --stop exclude each other. See "),
        ("denoise a b --against nlm, tv", "Unexpected argument 'tv'. Did you mean nlm,tv, without a space? See "),
        ("evaluate a --split test,train", "Did you mean --split test --split train? See "),
        ("evaluate a --split val", "Did you mean 'validation'? See "),
        ("train --backend pytorch", "'pytorch' was given. Did you mean 'torch'?"),
        ("train --model AE", "There is no model 'AE'. Did you mean 'ae'? Choose one of: "),
        ("train --model ae --beta 2", "There is no setting 'beta' for the model 'ae'. It is for: vae, residual-vae."),
    ],
)
def test_misspelled_word_is_named_with_the_one_that_was_meant(call, words, said):
    status, out, told = call(*words.split())
    assert (status, out) == (USER_ERROR, "")
    assert said in told


@pytest.mark.parametrize("words", ["train --config no/config.json", "search --name s --space no/config.json"])
def test_file_that_does_not_exist_is_not_found(call, tmp_path, words):
    status, _, told = call(*words.split(), "--runs", tmp_path)
    assert (status, told.count("no/config.json does not exist."), "Errno" in told) == (NOT_FOUND, 1, False)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("denoise first-ae no.png --out o", "There is no file "),
        ("denoise-curve first-ae --boxes no.csv", "There is no box file no.csv."),
        ("lesion-layers first-ae --boxes no.csv", "There is no box file no.csv."),
        ("app no.png", "'no.png' does not exist."),
        ("train --data https://a.org/b.zip", "'https://a.org/b.zip' is an address. Download the images yourself."),
        ("audit {empty}", "The name of the source is empty."),
    ],
)
def test_what_cannot_be_read_is_not_found_before_anything_is_made(call, run, monkeypatch, words, said):
    monkeypatch.chdir(run.path.parent)
    before = sorted(run.path.parent.rglob("*"))
    given = ["" if word == "{empty}" else word for word in words.split()]
    status, _, told = call(*given, "--runs", run.path.parent)
    assert (status, said in told) == (NOT_FOUND, True), told
    assert [path for path in sorted(run.path.parent.rglob("*")) if path.name != "o"] == before


def test_noise_level_may_be_a_fraction():
    options = parser.parse(["denoise", "a", "b", "--sigma", "25/250"])
    assert analysis_options.denoise_config(options).sigma == 0.1


def test_value_of_the_wrong_kind_gives_one_sentence(call):
    assert call("train", "--filters", "8;16")[2] == "Filters (--filters) must be whole numbers; '8;16' was given.\n"


@pytest.mark.parametrize(("words", "said"), [("evaluate first-a", "run"), ("trials fist", "search")])
def test_misspelled_name_of_a_run_or_a_search_is_named(call, run, words, said):
    (run.path.parent / "_searches" / "first").mkdir(parents=True)
    (run.path.parent / "_searches" / "first" / "ledger.sqlite").touch()
    status, _, told = call(*words.split(), "--runs", run.path.parent)
    assert status == NOT_FOUND
    assert f"no {said} " in told
    assert "Did you mean 'first" in told


@pytest.mark.parametrize("words", ["--json runs", "runs --json", "--json --runs {} runs", "runs --runs {} --json"])
def test_common_options_stand_anywhere(call, run, monkeypatch, words):
    monkeypatch.setenv("ENGRAM_RUNS", str(run.path.parent))
    status, out, _ = call(*words.format(run.path.parent).split())
    assert (status, [each["run"] for each in json.loads(out)]) == (0, ["first-ae"])


def test_common_options_stand_after_an_action(call, run):
    assert json.loads(call("runs", "show", "first-ae", "--json", "--runs", run.path.parent)[1])["run"] == "first-ae"


def test_folder_of_runs_that_does_not_exist_is_not_found(call, tmp_path):
    assert call("runs", "--runs", tmp_path / "none")[0] == NOT_FOUND


def test_exit_status_is_documented(call):
    text = call("--help")[1]
    known = (DONE, USER_ERROR, NOT_FOUND, CHECK_FAILED, PARTIAL, INTERRUPTED)
    assert {str(code) for code in known} | {"1", "143"} == set(EXIT_STATUS)
    assert all(f"  {code:<4} {meaning.split()[0]}" in text for code, meaning in EXIT_STATUS.items())
    assert [program.rate_outcome(*counts) for counts in ((2, 0), (1, 1), (0, 2))] == [DONE, PARTIAL, USER_ERROR]


@pytest.mark.parametrize(("option", "lines"), [("--quiet", 0), ("-q", 0), ("", 1), ("--verbose", 3)])
def test_quiet_and_verbose(call, monkeypatch, option, lines):
    from engine.cli import console
    from engine.messages import Log

    def run(options):
        console.ConsoleProgress(cli.sys.stderr)(Log(text="done"))
        return CommandResult("result", {})

    monkeypatch.setattr("engine.cli.runs.run", run)
    status, out, err = call(*filter(None, [option, "runs"]))
    assert (status, out, len(err.splitlines())) == (0, "result\n", lines)


@pytest.mark.parametrize(("option", "has_trace"), [("--verbose", True), ("--quiet", False)])
def test_verbose_shows_where_an_error_is_from(call, tmp_path, option, has_trace):
    status, _, err = call(option, "evaluate", "none", "--runs", tmp_path)
    assert status == NOT_FOUND
    assert ("Traceback" in err) == has_trace
    assert "There is no run 'none'" in err


def test_short_help_and_version_import_nothing_heavy(run_python):
    code = """
import sys
from engine.cli import main
for words in ([], ["--help"], ["--version"], ["help"]):
    try: main(words)
    except SystemExit: pass
print(sorted({"numpy", "pydantic", "engine.config", "keras", "matplotlib"} & set(sys.modules)))
"""
    assert run_python(code).splitlines()[-1] == "[]"


# ---- train --config


@pytest.mark.parametrize("where", ["file", "folder", "name"])
def test_settings_of_another_run_are_the_start(run, where):
    from engine.cli import config_options, train

    given = {"file": run.path / "config.json", "folder": run.path, "name": "first-ae"}[where]
    options = parser.parse(["train", "--config", str(given), "--runs", str(run.path.parent), "--latent", "4"])
    chosen = config_options.run_config(options, train._find_base(options))
    assert chosen == config.from_flat({**TINY, "latent": 4})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not valid JSON"),
        ("[]", "holds no settings"),
        ('{"model": {"model": "gan"}}', "gan"),
        (None, "does not exist"),
    ],
)
def test_settings_that_cannot_be_read_are_refused(call, tmp_path, text, said):
    file = tmp_path / "config.json"
    if text is not None:
        file.write_text(text)
    status, _, err = call("train", "--config", file, "--runs", tmp_path / "runs")
    assert status == (NOT_FOUND if text is None else USER_ERROR)
    assert said in err
    assert not (tmp_path / "runs").exists()


def test_preset_and_settings_of_a_run_exclude_each_other(run):
    from engine.cli import train

    with pytest.raises(ConfigError, match="exclude"):
        train._find_base(parser.parse(["train", "--config", str(run.path), "--preset", "study-ae"]))


# ---- hints


@pytest.mark.parametrize(("platform", "line"), [("linux", "'my run' 'it'\"'\"'s'"), ("win32", '"my run" it\'s')])
def test_hints_are_quoted_for_the_shell(monkeypatch, platform, line):
    monkeypatch.setattr(program.sys, "platform", platform)
    assert program.quote("my run", "it's") == line


@pytest.mark.parametrize(
    ("called", "name"),
    [
        ("/opt/bin/engram", "engram"),
        ("engram-engine", "engram-engine"),
        ("/src/engine/__main__.py", "python -m engine"),
        ("/lib/pytest/__main__.py", "engram"),
    ],
)
def test_program_is_named_as_it_was_called(called, name):
    assert program.find_name(called) == name
