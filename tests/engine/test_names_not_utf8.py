"""Folders and files whose names are not UTF-8, as old archives unpack them: they train, list and draw like others."""

import os
import sys

import numpy as np
import pytest
from PIL import Image

import engine
from engine import cli, config, messages, runs
from engine.durable import write_text_atomic
from engine.figures import base
from engine.messages import Log

LATIN_1 = os.fsdecode("Müller".encode("latin-1"))
SEPARATOR = "a\u2028b\u0085c"


@pytest.fixture
def folder(tmp_path):
    """Images in classes of a folder whose names, all of them, are Latin-1."""
    if sys.platform != "linux":
        pytest.skip("only Linux has names that are not UTF-8")
    home = tmp_path / LATIN_1
    pixels = np.random.default_rng(0).integers(0, 255, (40, 32, 32), np.uint8)
    for number, image in enumerate(pixels):
        path = home / f"{LATIN_1}{number % 2}" / f"{LATIN_1}{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path)
    return home


def test_a_folder_of_such_names_is_trained_on_and_mapped(folder, tiny, tmp_path, capsys):
    run = engine.train(tiny(epochs=1, source=str(folder)), run="one", root=tmp_path / "runs")
    assert (run.state(), len(run.history())) == ("finished", 1)
    assert run.config.data.source == str(folder)
    assert any(LATIN_1 in event.text for event in run.events() if isinstance(event, Log))
    assert cli.main(["runs", "--runs", str(tmp_path / "runs")]) == 0
    capsys.readouterr()
    out = tmp_path / "out"
    assert cli.main(["latent", "one", "--runs", str(tmp_path / "runs"), "--out", str(out)]) == 0, capsys.readouterr()
    tables = [path.read_bytes() for path in out.glob("*.csv")]
    assert any("Müller".encode("latin-1") in table for table in tables)


@pytest.mark.parametrize("text", [LATIN_1, SEPARATOR, "\ud800", '"\\'])
def test_any_text_comes_back_from_an_event_and_a_record(text, tmp_path):
    event = Log(text=text)
    line = event.to_json_line()
    assert line.encode().count(b"\n") == 1
    assert messages.read_event(line) == messages.read_event(line.encode()) == event
    run = runs.create_run(config.RunConfig(), "one", tmp_path)
    run.append(event)
    run.append(Log(text="next"))
    assert [each.text for each in run.events()] == [text, "next"]
    assert runs.last_sequence(run) == 2


def test_a_line_with_a_lone_surrogate_that_is_no_event_is_refused():
    for line in ('{"text": "\\udcfc"}', '{"text": "\\udcfc"', '["\\udcfc"]'):
        with pytest.raises(engine.errors.EngramError, match="could not be read"):
            messages.read_event(line)


def test_a_table_holds_the_bytes_of_the_name(tmp_path):
    write_text_atomic(tmp_path / "a.csv", LATIN_1)
    assert (tmp_path / "a.csv").read_bytes() == "Müller".encode("latin-1")


def test_a_figure_draws_a_replacement_sign():
    figure, axes = figure_with_axes()
    axes.set_title(LATIN_1)
    assert base.png(figure)
    assert base.pdf(figure)
    assert axes.get_title() == "M\ufffdller"


def figure_with_axes():
    from matplotlib.figure import Figure

    figure = Figure()
    return figure, figure.add_subplot()
