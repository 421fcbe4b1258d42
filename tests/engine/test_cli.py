"""The command line as people and scripts use it: real processes where it matters, `main` itself elsewhere."""

import io
import json
import os
import re
import signal
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from engine import cli, config, runs
from engine.cli import config_options, console, parser
from engine.cli.console import ConsoleProgress, GracefulInterrupt
from engine.cli.program import PROGRAM
from engine.figures import DISCLAIMER
from engine.messages import StudyProgress
from tests.conftest import ROOT
from tests.trained_runs import TINY

pytestmark = pytest.mark.usefixtures("loaded_once")

COMMANDS = ("train", "resume", "search", "trials", "runs", "evaluate", "audit", "parity", "reconstruct", "demo")
COMMANDS += ("denoise", "denoise-curve", "study")
COMMANDS += ("activations", "lesion-layers")
SECTIONS = [part for model in config.MODELS for part in config.sections(model).values()]
SPECS = {spec.name: spec for section in SECTIONS for spec in config.list_fields(section)}
TINY_OPTIONS = [
    word
    for name, value in TINY.items()
    for word in (SPECS[name].option, ",".join(map(str, value)) if isinstance(value, tuple) else str(value))
]


@pytest.fixture(scope="module")
def root(trained, tmp_path_factory):
    """Return a folder with one trained run, 'first'."""
    return trained(at=tmp_path_factory.mktemp("runs") / "first").path.parent


@pytest.fixture
def refused(call):
    """Call `main` with something that cannot be done: exit status 2 (or 3), nothing on stdout, sentences on stderr."""

    def go(*words, code=2):
        status, out, err = call(*words)
        assert status == code, err
        assert out == ""
        assert "Traceback" not in err
        assert err.rstrip().endswith(".")
        return err

    return go


@pytest.fixture
def picture(tmp_path):
    """An image whose pixels a run of 32 x 32 sees unchanged."""
    values = np.random.default_rng(0).integers(0, 256, (32, 32), np.uint8)
    path = tmp_path / "head.png"
    Image.fromarray(values).save(path)
    return path


# ---- a whole story: trained in a process of its own, resumed and evaluated in this one ---------------------------


# Taken as sitecustomize.py: write down every connection that this Python or one that it starts asks for.
WATCH = """
import os, sys

CALLS = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg"}
record = open(os.path.join(os.path.dirname(__file__), "connections"), "a", buffering=1)

def hear(event, arguments):
    if event in CALLS:
        record.write(f"{event} {arguments[-1]}\\n")

sys.addaudithook(hear)
"""


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """Train, resume and evaluate a run as a script would; return what each command printed."""
    folder = tmp_path_factory.mktemp("story")
    place = ["--runs", str(folder), "--json"]
    watch = tmp_path_factory.mktemp("watch")
    (watch / "sitecustomize.py").write_text(WATCH)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(watch), str(ROOT)])}

    def run(*words):
        command = [sys.executable, "-m", "engine", *words, *place]
        finished = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240, check=False
        )
        assert finished.returncode == 0, finished.stderr
        return finished

    def call(*words):
        with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
            assert cli.main([*words, *place]) == 0
        return SimpleNamespace(stdout=out.getvalue(), stderr=err.getvalue())

    return {
        "train": run("train", "--run", "tale", *TINY_OPTIONS, "--data", "phantom", "--model", "vae"),
        "resume": call("resume", "tale", "--epochs", "3"),
        "evaluate": call("evaluate", "tale"),
        "folder": folder,
        "connections": watch / "connections",
    }


def test_train_keeps_a_run_and_says_how_it_ended(story):
    said = json.loads(story["train"].stdout)
    assert (said["run"], said["state"], said["epoch"], said["epochs"]) == ("tale", "finished", 2, 2)
    assert said["path"] == str((story["folder"] / "tale").resolve())
    assert {"loss", "val_loss", "reconstruction", "kl"} <= set(said["metrics"])
    assert "epoch 2/2" in story["train"].stderr


def test_resume_continues_to_the_new_goal(story):
    said = json.loads(story["resume"].stdout)
    assert (said["state"], said["epoch"], said["epochs"]) == ("finished", 3, 3)
    assert "from epoch 3" in story["resume"].stderr
    assert "epoch 3/3" in story["resume"].stderr
    assert "epoch 1/3" not in story["resume"].stderr


def test_evaluate_prints_json_alone(story):
    said = json.loads(story["evaluate"].stdout)
    evaluated = ("run", "model", "noise", "data_range", "splits", "patients")
    assert set(said) == {*evaluated, "yardsticks", "notes", "distribution"}
    assert (said["run"], said["model"]) == ("tale", "vae")
    counts = {"train": 26, "validation": 4, "test": 6, "test_clean": 6}
    assert {name: part["n"] for name, part in said["splits"].items()} == counts
    assert all(part["nats_per_image"] > 0 for part in said["splits"].values())


def test_frameworks_stay_off_the_terminal(story):
    chatter = [
        line for line in story["train"].stderr.splitlines() if "oneDNN" in line or "absl" in line or "cuda" in line
    ]
    assert not chatter


def test_training_requests_no_connection(story):
    """The file is there since the process was watched."""
    assert story["connections"].read_text() == ""


def start(*words):
    return subprocess.Popen(
        [sys.executable, "-m", "engine", *map(str, words)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_control_c_stops_training_and_keeps_the_model(tmp_path):
    process = start("train", *TINY_OPTIONS, "--epochs", 9999, "--run", "long", "--runs", tmp_path, "--json")
    try:
        for line in process.stderr:
            if line.startswith("epoch") and " 2/9999" in line:
                process.send_signal(signal.SIGINT)
                break
        out, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, err
    assert "the model is kept" in err
    said = json.loads(out)
    assert (said["run"], said["state"]) == ("long", "stopped")
    assert 2 <= said["epoch"] < 9999
    assert runs.open_run("long", tmp_path).model_path.is_file()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_second_signal_ends_the_process(number):
    code = f"""
import os
from engine.cli.console import GracefulInterrupt
with GracefulInterrupt() as wish:
    assert not wish()
    os.kill(os.getpid(), {number:d})
    assert wish()
    print("heard", flush=True)
    os.kill(os.getpid(), {number:d})
    print("survived")
"""
    finished = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stdout.split()) == (-number, ["heard"])
    assert "Press Ctrl-C again to quit" in finished.stderr


def test_signals_are_given_back_afterwards():
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with GracefulInterrupt():
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_reader_that_has_had_enough_is_no_error(root):
    with start("runs", "--runs", root) as process:
        process.stdout.close()
        assert process.stderr.read() == ""
    assert process.returncode == 0


# ---- what can be typed -------------------------------------------------------------------------------------------


def test_every_setting_is_an_option_with_its_description(call):
    status, text, _ = call("train", "--help")
    assert status == 0
    flowing = " ".join(text.split())
    for spec in (spec for section in SECTIONS for spec in config.list_fields(section)):
        assert spec.option in text
        assert f"{spec.title}. " in flowing
        assert " ".join(spec.help.split()) in flowing, "also where a model describes a setting otherwise"
        if spec.low is not None:
            assert f"{spec.low:,g} to" in flowing
    assert "32 to 512 px; default 128." in flowing
    assert "Only for vae, residual-vae." in flowing
    assert "unet: Filters at each resolution, from the full image down. Default 16,32,64,128." in flowing
    assert "--no-download" in text
    assert [flowing.index(f"{name}: ") for name in ("data", "model", "training")] == sorted(
        flowing.index(f"{name}: ") for name in ("data", "model", "training")
    )


def test_every_setting_can_be_given():
    chosen = config.from_flat(
        {
            "model": "vae", "source": "/scans", "size": 64, "fit": "squash", "normalisation": "percentile",
            "validation_share": 0.2, "split_seed": 3, "phantom_count": 48, "phantom_seed": 5, "download": True,
            "revision": "v2", "latent": 9, "filters": (4, 8), "kernel_size": 5, "leaky_slope": 0.1, "beta": 0.5,
            "stride": 4, "depth": 2, "activation": "elu", "norm": "group", "kl_warm_up": 3, "free_bits": 0.05,
            "schedule": "cosine", "warm_up": 0.1, "clip_norm": 2.0, "weight_decay": 0.01, "ema": 0.99,
            "flip": 0.5, "shift": 0.1, "rotation": 5.0, "zoom": 0.2, "gamma": 0.25, "gain": 0.3,
            "noise": "rician", "noise_low": 0.01, "noise_high": 0.2,
            "epochs": 7, "batch_size": 4, "learning_rate": 0.002, "seed": 11, "backend": "jax", "deterministic": False,
            "threads": 2,
        }
    )  # fmt: skip
    words = ["train"]
    for name, value in config.to_flat(chosen).items():
        option = "--" + name.replace("_", "-")
        if isinstance(value, bool):
            words.append(option if value else option.replace("--", "--no-"))
        else:
            words += [option, ",".join(map(str, value)) if isinstance(value, tuple) else str(value)]
    given = parser.parse(words)
    assert config_options.run_config(given) == chosen
    assert set(config_options.settings(given)) == set(config.to_flat(chosen))


RENAMED = [
    ("train", "--normalisation", "--intensity", "normalisation", "z-score"),
    ("train", "--normalization", "--intensity", "normalisation", "percentile"),
    ("search --name a", "--early-stopping", "--prune", "early_stopping", True),
    ("search --name a", "--no-early-stopping", "--no-prune", "early_stopping", False),
    ("channels first", "--favourites", "--favorites", "favourites", "3"),
    ("lesion-layers first", "--channels", "--observer-channels", "channels", "4"),
    ("lesion-layers first", "--noise", "--observer-noise", "noise", "0.1"),
]


@pytest.mark.parametrize(("command", "old", "new", "field", "value"), RENAMED)
def test_renamed_option_keeps_its_old_name_as_an_alias(command, old, new, field, value):
    for option in (old, new):
        words = [*command.split(), option, *([] if isinstance(value, bool) else [value])]
        assert getattr(parser.parse(words), field) == value


@pytest.mark.parametrize(("command", "old", "new", "field", "value"), RENAMED)
def test_help_shows_a_renamed_option_by_its_new_name_alone(call, command, old, new, field, value):
    _, text, _ = call(command.split()[0], "--help")
    shown = re.findall(r"(?<!\S)--[a-z-]+", text)
    assert new in shown
    assert old not in shown


def test_old_name_of_an_option_is_not_suggested(refused):
    assert "did you mean --normali" not in refused("train", "--normalisatio", "none")


def test_renamed_options_keep_the_defaults_of_their_commands():
    options = parser.parse(["lesion-layers", "first"])
    assert (options.noise, options.channels) == ("0.05", "16")


@pytest.mark.parametrize(("old", "new"), config.PRESET_ALIASES.items())
def test_old_name_of_a_preset_is_an_alias_for_training_and_search(call, tmp_path, old, new):
    trained = []
    for name in (old, new):
        options = parser.parse(["train", "--preset", name, "--data", "phantom"])
        trained.append(config_options.run_config(options, config.preset(options.preset)))
    assert trained[0] == trained[1]
    status, _, said = call("search", "--preset", old, "--name", "a", "--trials", "x", "--runs", tmp_path)
    assert status == 2
    assert "no preset" not in said
    assert "Trials (--trials) must be" in said


def test_options_come_before_the_preset_and_the_preset_before_the_defaults():
    options = parser.parse(["train", "--preset", "study-vae", "--latent", "64", "--data", "scans"])
    chosen = config_options.run_config(options, config.preset("study-vae"))
    assert (chosen.model.latent, chosen.data.source) == (64, config.resolve_source("scans"))
    assert (chosen.data.fit, chosen.training.learning_rate) == ("squash", 0.001)
    assert chosen.training.batch_size == config.TrainingConfig().batch_size


def test_table_of_settings_in_the_docs_is_up_to_date(run_python):
    script = "scripts/settings_table.py"
    run_python(
        f"import runpy, sys; sys.argv = [{script!r}, '--check']; runpy.run_path({script!r}, run_name='__main__')"
    )


def test_help_says_where_things_are(call):
    status, text, _ = call("--help")
    assert status == 0
    for word in (*COMMANDS, "ENGRAM_RUNS", "ENGRAM_CACHE", "130", "Not for diagnosis", "first steps:"):
        assert word in text


def test_help_takes_nothing_heavy(run_python):
    """In one process: what one help loads would be there for all that follow."""
    heavy = ["keras", "tensorflow", "torch", "jax", "datasets", "matplotlib", "skimage", "PIL", "pydicom", "nibabel"]
    heavy += ["rich", "scipy", "sklearn", "pandas", "wandb", "keras_tuner", "distributed", "PySide6"]
    code = f"""
import contextlib, io, json, sys
from engine.cli import main
loaded = {{}}
for command in ("", *{COMMANDS!r}):
    with contextlib.redirect_stdout(io.StringIO()) as said:
        try: main([command, "--help"] if command else ["--help"])
        except SystemExit as end: assert end.code == 0
    assert "usage" in said.getvalue()
    loaded[command] = sorted(set({heavy!r}) & set(sys.modules))
print(json.dumps(loaded))
"""
    assert json.loads(run_python(code)) == {command: [] for command in ("", *COMMANDS)}


def test_nothing_typed_shows_the_commands(call):
    status, out, err = call()
    assert (status, err) == (0, "")
    assert all(f"  {command} " in out for command in COMMANDS)
    assert max(map(len, out.splitlines())) < 80


# ---- what goes wrong is said in sentences ------------------------------------------------------------------------


def test_unknown_option_names_the_one_that_was_meant(refused):
    assert "no option --latents. Did you mean --latent?" in refused("train", "--latents", "3")


def test_unknown_command_is_refused(refused):
    assert "no command 'trian'. Did you mean 'train'?" in refused("trian")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--latent", "many"], "Latent size (--latent) must be a whole number from 1 to 16,384; 'many' was given."),
        (["--size", "100"], "Size 100 cannot be halved 5 times; use 96 or 128."),
        (["--filters", "8,x"], "Filters (--filters) must be whole numbers; 'x' was given."),
        (["--latent", "9" * 5_000], f"from 1 to 16,384; '{'9' * 99}… was given."),
        (
            ["--backend", "theano"],
            "Backend (--backend) must be one of auto, tensorflow, torch, jax; 'theano' was given.",
        ),
        (["--model", "gan"], "There is no model 'gan'. Choose one of: ae, "),
        (["--beta", "2"], "There is no setting 'beta' for the model 'ae'."),
        (["--preset", "best"], "There is no preset 'best'."),
        (["--run", "a/b"], "'a/b' is not a valid run name."),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_bad_value_is_a_sentence_and_leaves_no_run(refused, tmp_path, words, said):
    assert said in refused("train", *words, "--runs", tmp_path / "runs")
    assert runs.list_runs(tmp_path / "runs") == []


def test_missing_folder_of_images_is_a_sentence(refused, tmp_path):
    nowhere = tmp_path / "nowhere"
    assert str(nowhere) in refused("train", *TINY_OPTIONS, "--data", nowhere, "--runs", tmp_path / "runs", code=3)


@pytest.mark.parametrize("command", ["train", "search", "study"])
def test_folders_of_unknown_meaning_are_asked_about_before_a_run(refused, tmp_path, command):
    for number in range(6):
        file = tmp_path / "scans" / f"AB{number:04}" / "1.png"
        file.parent.mkdir(parents=True)
        Image.fromarray(np.full((32, 32), number, np.uint8)).save(file)
    own = {"search": ["--name", "own", "--preset", "study-ae"], "study": ["--out", tmp_path / "study", "--quick"]}
    where = [] if command == "study" else ["--runs", tmp_path / "runs"]
    said = refused(command, *own.get(command, TINY_OPTIONS), "--data", tmp_path / "scans", *where)
    assert "may be classes or patients" in said
    assert "--folders-are" in said
    assert not (tmp_path / "runs").exists()
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize(
    "words", [["resume"], ["evaluate"], ["reconstruct", "--out", "pictures", "image.png"]], ids=lambda w: w[0]
)
def test_unknown_run_is_a_sentence(refused, root, words):
    said = refused(words[0], "nobody", *words[1:], "--runs", root, code=3)
    assert "There is no run 'nobody'" in said
    assert "first" in said


def test_name_that_is_taken_is_a_sentence(refused, root):
    assert "already a run 'first'" in refused("train", *TINY_OPTIONS, "--run", "first", "--runs", root)


def test_damaged_settings_are_a_sentence(refused, call, tmp_path):
    run = runs.create_run(config.from_flat(TINY), "hurt", tmp_path)
    (run.path / "config.json").write_text('{"data": ')
    assert "config.json of run 'hurt' cannot be read" in refused("evaluate", "hurt", "--runs", tmp_path)
    status, out, _ = call("runs", "--runs", tmp_path)
    assert status == 0
    assert "damaged" in out


def test_output_folder_that_cannot_be_made_is_a_sentence(refused, root, picture):
    assert str(picture) in refused("reconstruct", "first", picture, "--out", picture / "below", "--runs", root)


def test_goal_below_what_is_done_is_a_sentence(refused, root):
    assert "already has 2 epochs" in refused("resume", "first", "--epochs", "1", "--runs", root)
    assert "Epochs (--epochs) must be a whole number" in refused("resume", "first", "--epochs", "x", "--runs", root)


def test_finished_run_that_is_resumed_says_how_to_extend_it(call, root):
    status, out, _ = call("resume", "first", "--runs", root)
    assert status == 0
    assert "Nothing to do: run first has all its 2 epochs. Extend it: " in out
    assert out.rstrip().endswith(f"resume first --runs {root} --epochs N")


def test_run_without_a_checkpoint_is_not_trained_over(refused, root, tmp_path):
    run = runs.create_run(config.from_flat(TINY), "packed", tmp_path)
    for event in runs.open_run("first", root).events():
        run.append(event)
    assert "no checkpoint to resume from" in refused("resume", "packed", "--runs", tmp_path)


# ---- runs, evaluate, reconstruct ---------------------------------------------------------------------------------


def test_runs_are_listed(call, root):
    status, out, _ = call("runs", "--runs", root, "--json")
    (listed,) = json.loads(out)
    run = runs.open_run("first", root)
    assert status == 0
    assert listed["best_val_loss"] == min(row["val_loss"] for row in run.history())
    assert (listed["run"], listed["model"], listed["state"], listed["data"]) == ("first", "ae", "finished", "phantom")
    assert (listed["epoch"], listed["epochs"], listed["best_epoch"]) == (2, 2, run.best_epoch())
    _, text, _ = call("runs", "--runs", root)
    assert text.splitlines()[0].split() == ["run", "model", "state", "epoch", "best", "validation", "loss", "data"]
    assert "2/2" in text


def test_empty_folder_of_runs_is_said(call, tmp_path):
    assert call("runs", "--runs", tmp_path)[:2] == (0, f"There are no runs in {tmp_path} yet.\n")
    assert call("runs", "--runs", tmp_path, "--json")[:2] == (0, "[]\n")


def test_evaluate_shows_a_table(call, root):
    status, out, _ = call("evaluate", "first", "--split", "test", "--runs", root)
    lines = out.splitlines()
    assert status == 0
    head = "split model images PSNR (dB) MSE MAE SSIM MS-SSIM head PSNR (dB) head SSIM"
    assert lines[1].split() == head.split()
    assert lines[2].split()[:3] == ["test", "first", "6"]
    assert [line.split()[0] for line in lines[3:5]] == ["PCA-8", "mean"]
    assert "MS-SSIM with 2 of 5 scales" in lines[5]
    assert "No test image is an exact copy of a training or validation image" in out
    assert "than the PCA-8 baseline (" in out


def test_evaluate_warns_when_the_images_have_changed(call, root, tmp_path):
    run = runs.open_run("first", root)
    copy = runs.create_run(run.config, "copy", tmp_path)
    copy.model_path.write_bytes(run.model_path.read_bytes())
    copy.write_json("provenance.json", {**run.provenance, "data": {"source": "phantom", "fingerprint": "another"}})
    assert "images have changed" in call("evaluate", "copy", "--runs", tmp_path)[2]
    assert "images have changed" not in call("evaluate", "first", "--runs", root)[2]


def gray(path):
    with Image.open(path) as image:
        assert DISCLAIMER in image.text["Description"]
        return np.asarray(image.convert("RGB")).astype(int)


def test_reconstruct_writes_marked_images_true_to_the_pixel(call, root, picture, tmp_path):
    out = tmp_path / "pictures"
    status, said, _ = call("reconstruct", "first", picture, "--out", out, "--runs", root, "--json")
    (described,) = json.loads(said)["images"]
    assert status == 0
    assert described["files"] == {
        name: str(out / f"head-{name}.png") for name in ("original", "reconstruction", "difference", "comparison")
    }
    drawn = {name: gray(path) for name, path in described["files"].items()}
    original, reconstructed = (drawn[name][8:512:16, 8:512:16].mean(axis=2) for name in ("original", "reconstruction"))
    with Image.open(picture) as image:
        np.testing.assert_allclose(original, np.asarray(image), atol=1)
    assert described["mse"] == pytest.approx((((original - reconstructed) / 255) ** 2).mean(), rel=0.02)
    assert described["psnr_db"] == pytest.approx(-10 * np.log10(described["mse"]))
    warmth = (drawn["difference"][8:512:16, 8:512:16] @ [1, 0, -1]).ravel()  # red minus blue
    assert np.corrcoef(warmth, (reconstructed - original).ravel())[0, 1] > 0.8


def test_reconstruct_takes_a_slice_of_a_volume(call, root, tmp_path):
    import nibabel

    values = np.linspace(0, 1, 40 * 40 * 5).reshape(40, 40, 5).astype(np.float32)
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), tmp_path / "head.nii.gz")
    words = ("reconstruct", "first", tmp_path / "head.nii.gz", "--out", tmp_path, "--runs", root, "--json")
    middle, last = (json.loads(call(*words, *more)[1])["images"][0] for more in ([], ["--slice", "4"]))
    assert (middle["slice"], last["slice"]) == (2, 4)
    assert middle["files"]["original"] == str(tmp_path / "head-original.png")
    assert middle["mse"] != last["mse"]
    assert "has no slice 5" in call(*words, "--slice", "5")[2]


def test_one_bad_image_does_not_keep_the_others_back(call, root, picture, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_text("no picture")
    again = tmp_path / "more" / "head.png"
    again.parent.mkdir()
    again.write_bytes(picture.read_bytes())
    status, out, err = call(
        "reconstruct", "first", picture, bad, again, "--out", tmp_path / "out", "--runs", root, "--json"
    )
    said = json.loads(out)
    assert status == 5
    assert [item["image"] for item in said["failed"]] == [str(bad)]
    assert "'bad.png' cannot be opened" in err
    assert {os.path.basename(item["files"]["original"]) for item in said["images"]} == {
        "head-original.png",
        "head-2-original.png",
    }
    assert (tmp_path / "out" / "comparison.png").is_file()


# ---- lines for people --------------------------------------------------------------------------------------------


class Terminal:
    """A terminal that remembers what was written."""

    def __init__(self, encoding="utf-8", live=True):
        self.encoding, self.live, self.written = encoding, live, ""

    def isatty(self):
        return self.live

    def write(self, text):
        self.written += text

    def flush(self):
        pass

    def hides_cursor(self):
        """Whether the cursor was last hidden rather than shown."""
        return self.written.rfind("\x1b[?25l") > self.written.rfind("\x1b[?25h")

    def lines(self):
        """What is on the screen: obeys carriage return, "cursor up" and "erase line", ignores other controls."""
        screen, row, column = [""], 0, 0
        for part in re.split(r"(\x1b\[[?\d;]*[A-Za-z]|\r|\n)", self.written):
            if part == "\n":
                row, column = row + 1, 0
                screen += [""] * (row + 1 - len(screen))
            elif part == "\r":
                column = 0
            elif part == "\x1b[2K":
                screen[row] = ""
            elif re.fullmatch(r"\x1b\[\d*A", part):
                row -= int(part[2:-1] or 1)
            elif not part.startswith("\x1b"):
                screen[row] = screen[row][:column].ljust(column) + part + screen[row][column + len(part) :]
                column += len(part)
        return [line.rstrip() for line in screen]


@pytest.fixture
def terminal(monkeypatch):
    """A wide terminal without colors."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "120")
    return Terminal()


def events():
    from engine.messages import EpochEnded, JobStarted, Progress

    numbers = {"train_images": 26, "validation_images": 4, "parameters": 1000}
    yield JobStarted(run="a", path="", first_epoch=0, epochs=2, **numbers, backend="jax", device="CPU")
    for batch in (1, 2):
        yield Progress(run="a", epoch=1, epochs=2, batch=batch, batches=2, loss=0.5, images_per_s=99.6, left_s=83)
    yield EpochEnded(run="a", epoch=1, metrics={"loss": 0.5, "val_loss": 0.25, "images_per_s": 99.6}, best=True)


def test_meter_redraws_one_line_and_leaves_one_an_epoch(terminal):
    meter = ConsoleProgress(terminal)
    shown = []
    for event in events():
        meter(event)
        shown.append(terminal.lines())
    assert [len(lines) for lines in shown] == [2, 2, 2, 3]
    assert shown[1][1] == "epoch 1/2 ━━━━━━━━━━           1/2  loss 0.5  100 images/s  1 min 23 s left"
    assert shown[3][1:] == ["epoch 1/2  loss 0.5  validation 0.25  100 images/s  best so far", ""]


def test_meter_of_a_job_without_epochs_goes_when_it_is_done(terminal):
    meter = ConsoleProgress(terminal)
    meter.update("Encoding [test]", 500, 2000)
    assert terminal.lines() == ["Encoding [test] ━━━━━                500/2,000"]
    meter.update("Encoding [test]", 2000, 2000)
    assert "".join(terminal.lines()) == ""


def test_meter_of_a_study_shows_its_stage_with_and_without_a_share(terminal):
    meter = ConsoleProgress(terminal)
    meter(StudyProgress(stage="training", text="run 1 of 2", share=0.25))
    assert terminal.lines() == ["training ━━━━━                run 1 of 2"]
    meter(StudyProgress(stage="drawing", text="drawing figures"))
    (line,) = terminal.lines()
    assert line.startswith("drawing ")
    assert line.endswith(" drawing figures")


@pytest.mark.parametrize("error", [KeyboardInterrupt, None])
def test_command_leaves_a_clean_terminal(terminal, monkeypatch, capsys, error):
    """The bar is gone and the cursor is shown, before the result is printed."""

    def run(options):
        ConsoleProgress(terminal).update("Encoding", 1, 2)
        assert terminal.lines() != [""]
        # As it is while the bar is drawn: the second Ctrl-C ends the process without further ado.
        assert not terminal.hides_cursor()
        if error:
            raise error
        return console.CommandResult("done", {})

    monkeypatch.setattr("engine.cli.runs.run", run)
    assert cli.main(["runs"]) == (130 if error else 0)
    assert "".join(terminal.lines()) == ""
    assert not terminal.hides_cursor()
    assert ("Interrupted" in capsys.readouterr().err) == bool(error)


def test_meter_writes_only_lines_that_stay_without_a_terminal():
    quiet = Terminal(live=False)
    meter = ConsoleProgress(quiet, "nats")
    for event in events():
        meter(event)
    assert "\r" not in quiet.written
    assert "\x1b" not in quiet.written
    assert len(quiet.written.splitlines()) == 2
    assert "0.25 nats" in quiet.written


def test_meter_writes_only_lines_that_stay_on_a_terminal_that_cannot_redraw(terminal, monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    meter = ConsoleProgress(terminal)
    for event in events():
        meter(event)
    assert "\x1b" not in terminal.written
    assert len(terminal.written.splitlines()) == 2


def test_meter_never_wraps_and_requests_no_sign_a_terminal_lacks(terminal, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    terminal.encoding = "cp1252"
    meter = ConsoleProgress(terminal)
    for event in list(events())[:3]:
        meter(event)
    assert max(len(line) for line in terminal.lines()[1:]) <= 40
    assert len(terminal.lines()) == 2
    terminal.written.encode("cp1252")


def test_json_knows_no_infinity():
    written = console.CommandResult("", {"a": [float("inf"), 1.5], "b": float("nan")}).render(as_json=True)
    assert json.loads(written) == {"a": [None, 1.5], "b": None}


def test_batch_sum_is_reported_beside_the_loss_of_an_image(call, root, tmp_path):
    status, out, _ = call("train", *TINY_OPTIONS, "--model", "vae", "--epochs", "1", "--runs", tmp_path)
    (run,) = runs.list_runs(tmp_path)
    (row,) = run.history()
    assert status == 0
    summed = (
        f"batch sum, as in the reference study: {row['loss'] * TINY['batch_size']:,.0f} for {TINY['batch_size']} images"
    )
    assert summed in out
    assert f"{PROGRAM} evaluate vae-0001 --runs {tmp_path}" in out
