import math

import pytest

from engine import messages
from engine.config import DataConfig, RunConfig
from engine.errors import EngramError

COMMANDS = [
    messages.Train(config=RunConfig(), name="a"),
    messages.Resume(run="a", epochs=3),
    messages.Stop(),
    messages.Pause(),
    messages.Continue(),
    messages.LoadData(number=1, panel="data", config=DataConfig(size=64)),
    messages.OpenScan(number=2, panel="compare", path="head.dcm"),
    messages.ExportVolume(number=2, panel="compare-volume", run="ae-0001", scan="head.dcm", path="out", format="dicom"),
    messages.Reconstruct(number=3, panel="compare", runs=("a", "b"), data=DataConfig(), indices=(4, 5)),
    messages.PerImageErrors(number=4, panel="compare", run="a", data=DataConfig()),
    messages.Search(name="s", base=RunConfig(), space={"latent": [8, 16]}, settings={"trials": 3}),
    messages.StopTrial(number=3),
    messages.EnqueueTrial(values={"filters": [4, 8]}),
    messages.UpdateSpace(space={"beta": {"low": 1.0, "high": 2.0}}),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: one.command)
def test_a_command_survives_its_line(command):
    assert command.to_json_line().count("\n") == 1
    assert messages.read_command(command.to_json_line().encode()) == command


def test_an_event_survives_its_line_even_with_a_nan():
    event = messages.EpochEnded(run="a", epoch=1, metrics={"loss": math.nan, "kl": math.inf}, best=False)
    read = messages.read_event(event.to_json_line())
    assert math.isnan(read.metrics["loss"])
    assert read.metrics["kl"] == math.inf
    assert (read.time, read.run) == (event.time, "a")


@pytest.mark.parametrize("line", ["", "{", '{"command": "fly"}', '{"event": "log"}', '{"command":"stop","more":1}'])
def test_a_line_that_is_no_message_gets_a_sentence(line):
    for read in (messages.read_command, messages.read_event):
        with pytest.raises(EngramError, match="could not be read"):
            read(line)


def test_event_has_a_number_only_where_it_was_given_one():
    event = messages.Log(text="a")
    assert "sequence" not in event.to_json_line()
    numbered = event.model_copy(update={"sequence": 7})
    assert messages.read_event(numbered.to_json_line()).sequence == 7
    assert messages.read_event('{"event": "log", "time": 1.0, "text": "old"}').sequence is None


def test_start_of_a_job_from_before_floors_were_reported_is_read():
    line = (
        '{"time": 1.0, "event": "job-started", "run": "a", "path": "", "first_epoch": 0, "epochs": 2, '
        '"train_images": 3, "validation_images": 1, "parameters": 5, "backend": "jax", "device": "CPU"}'
    )
    assert messages.read_event(line).validation_floor_nats is None


def test_name_of_a_file_that_is_no_utf8_survives_the_way():
    name = "caf\udce9.png"
    log = messages.Log(text=name)
    for line in (log.to_json_line(), log.to_json_line().encode()):
        assert messages.read_event(line) == log
    skipped = messages.SkippedFile(name=name, reason="not an image")
    assert skipped.name == name
    with pytest.raises(EngramError, match="could not be read"):
        messages.read_event('{"event": "log", "text": "\\udce9"')
