"""The demo command and its page: one file that fetches nothing, with all numbers of both models."""

import base64
import contextlib
import io
import json
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from engine import cli, config, evaluation, runs
from engine.cli import demo
from engine.cli.program import PROGRAM
from engine.evaluation.interpretation import NUMBERS
from engine.figures import DISCLAIMER, html_page
from engine.formatting import DASH
from engine.reports import run_report

VOID = {"meta", "img"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """What `demo` leaves behind with tiny settings: its JSON, its page, its folder of runs."""
    folder = tmp_path_factory.mktemp("demo")
    words = [
        "--size",
        "32",
        "--filters",
        "4,8",
        "--latent",
        "8",
        "--phantom-count",
        "36",
        "--epochs",
        "2",
        "--beta",
        "3",
    ]
    with contextlib.redirect_stdout(io.StringIO()) as out:
        status = cli.main(["demo", *words, "--runs", str(folder / "runs"), "--out", str(folder / "out"), "--json"])
    assert status == 0
    html = (folder / "out" / "report.html").read_text(encoding="utf-8")
    return json.loads(out.getvalue()), html, folder / "runs"


class Reader(HTMLParser):
    """Reads a page as a browser does: its tags in balance, its attributes, its text."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.attributes, self.words = [], [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        self.words.append(text)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def test_demo_trains_both_models_and_says_where_the_page_is(made):
    said, _, root = made
    assert said["runs"] == ["ae-0001", "vae-0001"]
    assert said["report"].endswith("report.html")
    assert [(run.config.model.model, run.state()) for run in runs.list_runs(root)] == [
        ("ae", "finished"),
        ("vae", "finished"),
    ]
    assert runs.open_run("vae-0001", root).config.model.beta == 3
    for run in runs.list_runs(root):
        assert said["measured"][run.name] == evaluation.evaluate(run)["splits"]


def test_page_fetches_nothing(made):
    _, html, _ = made
    page_read = Reader(html)
    assert page_read.open == []
    assert not {"script", "link", "iframe", "object", "base"} & set(page_read.tags)
    assert "http" not in html
    assert "url(" not in html
    assert "@import" not in html
    sources = [value for _, name, value in page_read.attributes if name in {"src", "href"}]
    assert len(sources) == 3
    assert all(source.startswith("data:image/png;base64,") for source in sources)


def test_images_of_the_page_are_whole_and_described(made):
    attributes = Reader(made[1]).attributes
    for source in (value for _, name, value in attributes if name == "src"):
        with Image.open(io.BytesIO(base64.b64decode(source.split(",")[1]))) as image:
            image.load()
            assert image.width > 500
            assert DISCLAIMER in image.text["Description"]
    assert all(len(value) > 40 for tag, name, value in attributes if (tag, name) == ("img", "alt"))


def test_page_has_every_number_of_both_models(made):
    said, html, _ = made
    text = Reader(html).text
    for name, splits in said["measured"].items():
        for split, numbers in splits.items():
            told = [
                DASH if value is None or (key == "entropy_floor_nats" and name == "ae-0001") else f"{value:{form}}"
                for key, value, form in ((key, numbers[key], form) for key, (_, form) in NUMBERS.items())
            ]
            assert " ".join([f"({name})", split, *told]) in text


def test_page_says_what_it_is_and_what_it_is_not(made):
    said, html, root = made
    text = Reader(html).text
    assert text.count(DISCLAIMER) >= 2
    assert "a lesion can disappear" in text
    assert "not a result" in text
    for run in runs.list_runs(root):
        assert str(run.path) not in html
        assert f"{PROGRAM} evaluate {run.name}" in text
        assert run.provenance["data"]["fingerprint"][:16] in text
    for spec in config.list_fields(config.TrainingConfig):
        assert spec.title in text
    assert said["elapsed_s"] > 0


def test_last_row_is_the_worst_image_of_the_first_model(made):
    _, _, root = made
    run = runs.open_run("ae-0001", root)
    shown = run_report.examine_runs([run])[0].shown
    images = evaluation.load_dataset(run).test
    model = evaluation.load_model(run)
    errors = ((np.asarray(model.reconstruct(images.read())) - images.read()) ** 2).mean(axis=(1, 2, 3))
    assert shown[-1] == errors.argmax()
    assert len(set(shown)) == len(shown)


def test_names_from_outside_are_no_markup():
    html = html_page.page(
        "<b>", "<i>", [html_page.section("<u>", html_page.paragraph("<s>"), html_page.table(["<th>"], [["<td>"]]))]
    )
    for name in "bius":
        assert f"<{name}>" not in html.replace("<b>Engram</b>", "")
    assert "&lt;td&gt;" in html


def test_demo_that_is_stopped_keeps_its_runs_and_writes_no_page(tmp_path, monkeypatch):
    monkeypatch.setattr(
        demo,
        "_train",
        lambda settings, root, request: setattr(request, "is_requested", True) or runs.create_run(settings, root=root),
    )
    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert cli.main(["demo", "--runs", str(tmp_path / "runs"), "--out", str(tmp_path)]) == 130
    assert "Saved in" in out.getvalue()
    assert not (tmp_path / "report.html").exists()
