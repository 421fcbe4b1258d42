import io
import os
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from engine.child_process import module_command, start_process
from engine.data import load, parsing, pictures
from engine.data.decoded_image import UnreadableFile
from engine.data.parallel import map_in_threads
from engine.data.parser_process import read_message, write_message
from engine.data.parsing import parse
from engine.job_context import Cancelled, JobContext

FOREVER = 3600


def allocate(size):
    return len(bytearray(size))


def write_pages(path, count):
    """Write a TIFF of so many pages, whose counting takes a time that grows with their square."""
    entries = [(256, 4, 1, 1), (257, 4, 1, 1), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8)]
    body = np.array([(*each[:2], *np.array(each[2:], "<u4").view("<u2")) for each in entries], "<u2").tobytes()
    step = 2 + len(body) + 4
    pages = [
        (len(entries)).to_bytes(2, "little") + body + (8 + step * k).to_bytes(4, "little") for k in range(1, count)
    ]
    path.write_bytes(b"II*\0" + (8).to_bytes(4, "little") + b"".join(pages))


def test_a_file_that_takes_too_long_is_skipped_with_its_reason_and_the_others_are_read(tmp_path, config, monkeypatch):
    monkeypatch.setattr(parsing, "SECONDS", 0.5)
    write_pages(tmp_path / "pages.tif", 80_000)
    for number in range(4):
        values = np.random.default_rng(number).integers(0, 255, (9, 9), np.uint8)
        Image.fromarray(values).save(tmp_path / f"{number}.bmp")
    found = load(str(tmp_path), config())
    assert [(each.name, each.reason) for each in found.skipped] == [("pages.tif", "reading it takes longer than 0.5 s")]
    assert sum(map(len, found.splits.values())) == 4


def test_a_file_that_broke_a_limit_is_tried_again_only_if_it_changed(tmp_path, monkeypatch):
    monkeypatch.setattr(parsing, "SECONDS", 0.1)
    monkeypatch.setattr(parsing, "WAIT_FACTOR", 1)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(UnreadableFile, match="takes longer"):
        parse(pictures.raster.is_deep_file, pipe)
    monkeypatch.setattr(parsing, "_pool", None)
    with pytest.raises(UnreadableFile, match="takes longer"):
        parse(pictures.raster.is_deep_file, pipe)


def test_the_time_of_a_busy_machine_does_not_count(monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(parsing.time, "monotonic", lambda: clock[0])
    task = parsing._Task({}, parsing.SECONDS)
    task.start(0)
    clock[0] = 10 * parsing.SECONDS
    assert not task.must_end()
    clock[0] = 21 * parsing.SECONDS
    assert task.must_end()
    assert task.problem == "reading it takes longer than 9 s"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux limits the memory of a process")
def test_memory_is_limited_by_the_number_of_frames():
    size = parsing.MEMORY_BYTES + 2**27
    with pytest.raises(UnreadableFile, match="too much memory"):
        parse(allocate, None, size)
    assert parse(allocate, None, size, frames=1 + 2**28 // parsing.MEMORY_BYTES_PER_FRAME) == size


def test_a_process_that_ends_is_replaced():
    with pytest.raises(UnreadableFile, match="damaged"):
        parse(os._exit, None, 3)
    assert parse(abs, None, -2) == 2


def test_arrays_paths_and_sequences_go_there_and_back(tmp_path):
    stream, array = io.BytesIO(), np.arange(6, dtype=np.uint16).reshape(2, 3)
    write_message(stream, {"a": array, "b": [tmp_path, None], "c": np.zeros((0, 2)), "d": "ü\udcfc"})
    stream.seek(0)
    found = read_message(stream)
    np.testing.assert_array_equal(found["a"], array, strict=True)
    assert (found["b"], found["c"].shape, found["d"]) == ((tmp_path, None), (0, 2), "ü\udcfc")


def test_an_array_of_objects_is_refused():
    with pytest.raises(ValueError, match="objects"):
        read_message(io.BytesIO(b'[{"array": 0}, [["|O", [1]]]]\n12345678'))


def test_cancel_ends_the_processes_that_are_at_work(monkeypatch):
    monkeypatch.setattr(parsing, "WAIT_FACTOR", 0.5)
    context = JobContext(should_stop=lambda: any(parser.task for parser in parsing._pool._parsers))
    reasons = set()

    def hang(seconds):
        try:
            parse(time.sleep, None, seconds)
        except UnreadableFile as error:
            reasons.add(str(error))

    with pytest.raises(Cancelled):
        list(map_in_threads(hang, [FOREVER] * 3, context))
    assert not any(parser.task for parser in parsing._pool._parsers)
    assert reasons == {"it is no longer wanted"}


def test_ctrl_c_ends_the_process_that_is_at_work(monkeypatch):
    used = []

    def interrupt(stream):
        used.extend(parsing._pool._parsers)
        raise KeyboardInterrupt

    parsing._pool.close()
    monkeypatch.setattr(parsing, "read_message", interrupt)
    with pytest.raises(KeyboardInterrupt):
        parse(time.sleep, None, FOREVER)
    assert [parser._process.returncode is not None for parser in used] == [True]


def test_a_process_ends_with_its_parent():
    command = module_command("engine.data.parser_process")
    child = start_process(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with child:
        assert read_message(child.stdout) == "ready"
        limits = {"memory_bytes": 2**28, "seconds": parsing.SECONDS}
        write_message(child.stdin, {"module": "time", "function": "sleep", "arguments": [FOREVER], **limits})
        child.stdin.close()
        assert child.wait(60) == 0


@pytest.mark.parametrize(
    ("kind", "options", "is_plain"),
    [
        ("PNG", {}, True),
        ("JPEG", {}, True),
        ("JPEG", {"progressive": True}, False),
        ("TIFF", {}, False),
        ("BMP", {}, False),
    ],
)
def test_only_plain_images_are_decoded_in_this_process(kind, options, is_plain, monkeypatch):
    file = io.BytesIO()
    values = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    Image.fromarray(values).save(file, kind, **options)
    expected = pictures.read_content(file.getvalue()).gray
    with monkeypatch.context() as patch:
        patch.setattr(pictures, "parse", None)
        if is_plain:
            assert pictures.read_content(file.getvalue()).gray.tolist() == expected.tolist()
        else:
            with pytest.raises(TypeError):
                pictures.read_content(file.getvalue())
    monkeypatch.setattr(pictures, "MAX_PLAIN_PIXELS", 64 * 64 - 1)
    assert pictures._read_plain(file.getvalue()) is None
