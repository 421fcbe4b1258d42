"""The whole study on tiny phantoms, with real processes: interrupted, resumed, finished, read."""

import base64
import contextlib
import csv
import io
import json
import os
import signal
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from PIL import Image

from engine import backend, cli, config, data, evaluation, runs
from engine.figures import DISCLAIMER
from engine.job_context import JobContext
from engine.messages import JobStarted, RunStudy
from engine.reproduction import job, published
from engine.study_folder import StudyFolder
from tests.engine.conftest import ROOT

WORDS = ["--size", "32", "--filters", "4,8", "--latent", "8", "--phantom-count", "60", "--epochs", "2"]
pytestmark = pytest.mark.usefixtures("forked_children")
FIGURES = ["figure-05", "figure-06", *(f"figure-{number:02d}" for number in range(9, 14)), "figure-13-break-even"]
TABLES = ["table-1", "table-2", "table-3", "table-4", "runs", "splits", "numbers"]


def command(out):
    return ["study", "--out", str(out), "--quick", *WORDS, "--json"]


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory):
    """A study that Ctrl-C stopped when its first run had finished: its folder, what it said, its exit status."""
    out = tmp_path_factory.mktemp("studies") / "study"
    process = subprocess.Popen(
        [sys.executable, "-m", "engine", *command(out)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=dict(os.environ),
        text=True,
    )
    with process:
        for line in process.stderr:
            if line.startswith("study-ae (1 of 2) finished"):
                break
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=240)
    return out, json.loads(said), process.returncode


@pytest.fixture(scope="module")
def made(interrupted):
    """The same study resumed: its folder and its JSON."""
    out = interrupted[0]
    before = runs.open_run("study-ae", out / "runs").model_path.stat().st_mtime_ns
    with contextlib.redirect_stdout(io.StringIO()) as said:
        assert cli.main(command(out)) == 0
    assert runs.open_run("study-ae", out / "runs").model_path.stat().st_mtime_ns == before
    return StudyFolder(out), json.loads(said.getvalue())


def as_recorded(said):
    """What a command says of a study as its record has it, which does not tell where it lies."""
    return said | {"path": "", "page": "study.html"}


class Reader(HTMLParser):
    """The tags, attributes and words of a page."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.words = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, text):
        self.words.append(text)


@pytest.mark.slow
def test_interrupted_study_keeps_its_runs_and_says_how_to_continue(interrupted):
    out, said, status = interrupted
    assert status == 0
    assert said["state"] == "stopped"
    states = {each["name"]: each["state"] for each in said["runs"]}
    assert states["study-ae"] == "finished"
    assert states.get("study-vae") != "finished"
    assert not (out / "study.html").exists()
    assert StudyFolder(out).state() == "stopped"


@pytest.mark.slow
def test_second_call_finishes_and_trains_no_finished_run_again(made):
    study, said = made
    assert study.state() == said["state"] == "finished"
    ae, vae = (runs.open_run(name, study.runs) for name in ("study-ae", "study-vae"))
    assert sum(isinstance(event, JobStarted) for event in ae.events()) == 1
    assert [len(run.history()) for run in (ae, vae)] == [2, 2]
    assert json.loads(study.record.read_text()) == as_recorded(said)


@pytest.mark.slow
def test_every_table_and_figure_is_there_and_whole(made):
    study, said = made
    kinds = {each["key"]: each for each in said["contents"]}
    assert list(kinds) == [*TABLES, *FIGURES]
    for key in TABLES:
        assert {path.name for path in study.tables.glob(f"{key}.*")} == {f"{key}.csv", f"{key}.md"}
    for key in FIGURES:
        with Image.open(study.path / kinds[key]["files"]["png"]) as image:
            image.load()
            assert image.width > 900
            assert DISCLAIMER in image.text["Description"]
        assert (study.path / kinds[key]["files"]["pdf"]).read_bytes().startswith(b"%PDF")
        assert len(kinds[key]["caption"]) > 80


@pytest.mark.slow
def test_tables_hold_what_the_study_says_and_what_was_found(made):
    study, said = made
    table = list(csv.reader((study.tables / "table-1.csv").read_text().splitlines()[1:]))
    assert table[1][:2] == ["Learning rate", "0.001, 0.0005, 0.0001"]
    assert table[4][:2] == ["Latent size", "512, 1024, 2048"]
    assert all("not searched" in row[2] for row in table[1:])
    best = {row[0]: row[1:] for row in csv.reader((study.tables / "table-4.csv").read_text().splitlines()[1:])}
    assert best["Loss: nats summed over a batch"][0] == "97322.52"
    assert best["Loss: nats per image"][0] == "6082.66"
    found = next(each for each in said["runs"] if each["name"] == "study-vae")["best_loss"]
    assert float(best["Loss: nats per image"][1]) == pytest.approx(found, abs=0.01)
    assert float(best["Loss: nats summed over a batch"][1]) == pytest.approx(found * 16, abs=0.01)
    assert "| Learning rate | 0.0005 | 0.0005 |" in (study.tables / "table-3.md").read_text()


@pytest.mark.slow
def test_numbers_are_those_of_the_evaluation(made):
    study, said = made
    run = runs.open_run("study-ae", study.runs)
    measured = evaluation.evaluate(run)["splits"]
    assert said["best"]["ae"]["splits"]["test"]["mse"] == pytest.approx(measured["test"]["mse"])
    row = next(each for each in said["numbers"] if each["title"] == "AE, mean squared error")
    assert row["paper"] == "0.003926"
    assert row["here"] == f"{measured['validation']['mse']:.6f}"
    linear = next(each for each in said["numbers"] if each["title"] == "PCA-8, mean squared error")
    assert linear["here"] == f"{said['linear']['validation']['mse']:.6f}"
    assert "the same latent size (8)." in linear["why"]
    assert ("worse than PCA" in linear["why"]) == (measured["validation"]["mse"] > said["linear"]["validation"]["mse"])
    tested = next(each for each in said["numbers"] if each["title"] == "Test images")
    images = data.load(config=run.config.data)
    assert tested["paper"] == "394"
    assert tested["here"] == str(len(images.test))


@pytest.mark.slow
def test_page_is_one_file_that_fetches_nothing(made):
    study, _ = made
    html = study.page.read_text(encoding="utf-8")
    reader = Reader(html)
    assert not {"script", "link", "iframe", "object", "base"} & set(reader.tags)
    assert "http" not in html
    assert "url(" not in html
    assert str(study.path.parent) not in html
    sources = [value for name, value in reader.attributes if name in {"src", "href"}]
    assert len(sources) == len(FIGURES)
    for source in sources:
        with Image.open(io.BytesIO(base64.b64decode(source.removeprefix("data:image/png;base64,")))) as image:
            image.load()


@pytest.mark.slow
def test_page_says_every_number_and_that_it_is_quick_and_shrunk(made):
    study, said = made
    text = " ".join(" ".join(Reader(study.page.read_text(encoding="utf-8")).words).split())
    for row in said["numbers"]:
        assert " ".join([row["title"], row["paper"], row["here"], row["clean"]]) in text
        assert row["why"] in text
    assert "Quick reproduction" in text
    assert "size 32 instead of 128" in text
    assert "epochs 2 instead of 40" in text
    assert "phantoms" in text
    assert "Figure 7 and Figure 8. Search" in text
    assert "nothing was searched" in text
    for number in range(1, 5):
        assert published.table_title(number) in text
    for number in (5, 6, 9, 10, 11, 12, 13):
        assert published.figure_title(number) in text
    assert text.count(DISCLAIMER) >= 2


@pytest.mark.slow
def test_other_settings_in_the_same_folder_are_refused_and_nothing_is_lost(made, capsys):
    study, said = made
    assert cli.main(["study", "--out", str(study.path), "--quick", *WORDS[:-1], "3"]) == 2
    assert "contains a study with other settings" in capsys.readouterr().err
    assert runs.open_run("study-ae", study.runs).state() == "finished"
    assert study.read() == as_recorded(said)


def test_study_with_a_folder_of_runs_of_its_own_is_refused(tmp_path, capsys):
    assert cli.main(["study", "--out", str(tmp_path / "s"), "--quick", "--runs", str(tmp_path)]) == 2
    assert "its own folder" in capsys.readouterr().err


def test_wrong_count_is_a_sentence(tmp_path, capsys):
    assert cli.main(["study", "--out", str(tmp_path / "s"), "--trials-ae", "0"]) == 2
    assert "AE trials (--trials-ae) must be a whole number from 1 to 81" in capsys.readouterr().err
    assert not (tmp_path / "s").exists()


def test_source_that_is_not_there_is_said_before_there_are_runs(tmp_path, capsys):
    assert cli.main(["study", "--out", str(tmp_path / "s"), "--data", str(tmp_path / "none"), "--quick"]) == 3
    assert "none" in capsys.readouterr().err
    assert not (tmp_path / "s").exists()


def test_source_without_an_image_is_said_before_there_are_runs(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert cli.main(["study", "--out", str(tmp_path / "s"), "--data", str(tmp_path / "empty"), "--quick"]) == 2
    assert "no usable image" in capsys.readouterr().err
    assert not (tmp_path / "s").exists()


def test_one_backend_is_chosen_for_the_whole_study(monkeypatch):
    asked, heard = [], []

    def choose(base, context, is_in_process):
        asked.append((base.model.model, is_in_process))
        return config.from_flat({"backend": "torch"}, base), "Backend: PyTorch."

    monkeypatch.setattr(job, "resolve_backend", choose)
    order = job._with_backend(RunStudy(out="s", settings={"backend": "auto"}), heard.append, JobContext())
    assert {base.training.backend for base in job.base_configs(order.settings).values()} == {"torch"}
    assert (asked, [event.text for event in heard]) == ([("ae", False)], ["Backend: PyTorch."])


def test_backend_that_is_not_installed_is_said_before_there_are_runs(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(backend, "installed", list)
    assert cli.main(["study", "--out", str(tmp_path / "s"), "--quick"]) == 2
    assert "The backend tensorflow is not installed. Install it:" in capsys.readouterr().err
    assert not (tmp_path / "s").exists()
