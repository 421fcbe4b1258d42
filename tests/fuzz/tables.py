"""Readers of local Hugging Face folders, and small valid files for them."""

import io
import os
import shutil
import tempfile
from pathlib import Path
from unittest import mock

import datasets
import pyarrow as pa
from pyarrow import parquet

from engine.config import DataConfig
from engine.data import parser_process, parsing
from engine.data.decoded_image import UnreadableFile
from engine.data.huggingface import HuggingFaceSource
from tests.fuzz.images import make_pictures

CARD = (
    b"---\nconfigs:\n- config_name: default\n  data_files:\n  - split: train\n    path: a.parquet\n"
    b"dataset_info:\n  features:\n  - name: image\n    dtype: image\n  - name: label\n    dtype: int64\n"
    b"  - name: name\n    dtype: string\n---\n# A\n"
)


def make_table() -> pa.Table:
    """Return a table of three images with classes."""
    pictures = [{"bytes": picture, "path": f"{number}.png"} for number, picture in enumerate(make_pictures("PNG")[:3])]
    return pa.table({"image": pictures, "label": [0, 1, 0], "name": ["a", "b", "ä"]})


def make_parquet() -> list[bytes]:
    """Return tables as Parquet files, packed in several ways."""
    made = []
    for packed in ("none", "snappy", "gzip", "zstd"):
        file = io.BytesIO()
        parquet.write_table(make_table(), file, compression=packed)
        made.append(file.getvalue())
    return made


def make_arrow() -> list[bytes]:
    """Return a table as a stream and as a file of Arrow."""
    made = []
    for make in (pa.ipc.new_stream, pa.ipc.new_file):
        file = io.BytesIO()
        with make(file, make_table().schema) as writer:
            writer.write_table(make_table())
        made.append(file.getvalue())
    return made


def make_card() -> list[bytes]:
    """Return the README of a dataset that names its files and its columns."""
    return [CARD]


def write_parquet(folder: Path) -> None:
    """Write the table that the README names."""
    (folder / "a.parquet").write_bytes(make_parquet()[0])


def write_saved(folder: Path) -> None:
    """Write a dataset as the library saves it."""
    with tempfile.TemporaryDirectory() as name:
        datasets.Dataset(make_table()).save_to_disk(name)
        shutil.copytree(name, folder, dirs_exist_ok=True)


def make_state() -> list[bytes]:
    """Return the record of a saved dataset."""
    with tempfile.TemporaryDirectory() as name:
        write_saved(Path(name))
        return [(Path(name) / "state.json").read_bytes()]


def _reply_here(task: object, memory_bytes: int) -> object:
    """Convert a table in this process, under the limits of the one that converts: a new one takes a second to start."""
    return parser_process._reply(task.start(memory_bytes))


def read_table(path: Path) -> object:
    """Read a dataset that is one file, as Engram does without a download."""
    here = mock.patch.object(parsing._pool, "ask", _reply_here)
    with tempfile.TemporaryDirectory() as cache, mock.patch.dict(os.environ, ENGRAM_CACHE=cache), here:
        source = HuggingFaceSource(DataConfig(source=f"hf:{path}"))
        for index in range(min(3, len(source.items))):
            try:
                source.read(index)
            except UnreadableFile:
                continue
        return source.classes


def read_folder(path: Path) -> object:
    """Read a dataset that is a folder."""
    return read_table(path.parent)
