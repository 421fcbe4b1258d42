"""Every reader of a file that may come from somebody else, by name."""

import importlib
import importlib.util
import json
from collections.abc import Callable
from functools import partial
from typing import Any

from engine.archives import DAMAGE, read_arrays
from tests.fuzz import images, records
from tests.fuzz.mutation import mutate_gzip, mutate_json, mutate_png, mutate_zip
from tests.fuzz.runner import Target

PICTURES = {"PNG": "png", "JPEG": "jpg", "TIFF": "tif", "BMP": "bmp", "GIF": "gif", "WEBP": "webp", "JPEG2000": "jp2"}
# Building a model, a window or a library's tables takes seconds, so the suite leaves it to `make fuzz`.
SLOW = ("model", "parquet", "arrow", "card", "saved", "window")


NOTES = b'{"place": 3, "note": "x", "tags": ["a", "b"]}'


def _picture_targets() -> dict[str, Target]:
    made = {
        suffix: Target(partial(images.make_pictures, kind), images.read_picture, f"a.{suffix}", images.READABLE)
        for kind, suffix in PICTURES.items()
    }
    made["png"].mutate = mutate_png
    made["mask"] = Target(images.make_masks, images.read_mask, "a.png", (), mutate_png)
    return made


def _volume_targets() -> dict[str, Target]:
    read, research = images.read_nifti, images.read_research
    analyze, two = images.make_analyze, {"prepare": images.write_series}
    made = {
        "dicom": Target(images.make_dicoms, images.read_dicom, "a.dcm", images.READABLE),
        "nifti": Target(images.make_niftis, read, "a.nii", images.READABLE),
        "nifti-gz": Target(
            lambda: images.zip_all(images.make_niftis()), read, "a.nii.gz", images.READABLE, mutate_gzip
        ),
        "analyze": Target(lambda: [analyze()[0]], read, "a.hdr", images.READABLE, prepare=images.write_voxels),
        "mgh": Target(images.make_mgh, research, "a.mgh", images.READABLE),
        "series": Target(lambda: [images.make_slice(3)], images.read_series, "3.dcm", images.READABLE, **two),
        "dicomdir": Target(images.make_disc_index, images.read_series, "DICOMDIR", images.READABLE, **two),
        "zip": Target(images.make_archives, images.read_archive, "a.zip", mutate=mutate_zip),
        "mgz": Target(lambda: images.zip_all(images.make_mgh()), research, "a.mgz", images.READABLE, mutate_gzip),
    }
    if importlib.util.find_spec("SimpleITK"):
        made["nrrd"] = Target(images.make_nrrd, research, "a.nrrd", images.READABLE)
        made["mha"] = Target(images.make_mha, research, "a.mha", images.READABLE)
        beside = partial(images.make_mha, "a.raw")
        made["mhd"] = Target(beside, research, "a.mhd", images.READABLE, prepare=images.write_raw)
    return made


def _record_targets() -> dict[str, Target]:
    def of_run(name: str) -> Target:
        return Target(records.run_file(name), records.read_run, name, mutate=mutate_json, prepare=records.prepare_run)

    space, ledger = records.write_beside(records.write_space), records.write_beside(records.write_ledger)
    shapes = [array.shape for array in records.ARRAYS]
    return {
        **{name.split(".")[0]: of_run(name) for name in ("config.json", "events.jsonl", "provenance.json")},
        "history": Target(
            records.run_file("history.csv"), records.read_run, "history.csv", prepare=records.prepare_run
        ),
        "state": Target(records.make_state, records.read_state, "epoch-00002/state.json", mutate=mutate_json),
        "checkpoint": Target(records.make_npz, lambda file: read_arrays(file, shapes), "a.npz", DAMAGE, mutate_zip),
        "weights": Target(records.make_weights, records.read_weights, "model.keras", DAMAGE, mutate_zip),
        "model": Target(
            records.make_model, records.read_model, "model.keras", mutate=mutate_zip, prepare=records.prepare_run
        ),
        "space": Target(space, records.read_space, "space.json", mutate=mutate_json),
        "ledger": Target(ledger, records.read_ledger, "ledger.sqlite"),
        "tracking": Target(lambda: [b'{"id": "abc"}'], records.read_tracking, "tracking.json", mutate=mutate_json),
        "study": Target(
            lambda: [b'{"state": "running", "numbers": [1]}'], records.read_study, "study.json", mutate=mutate_json
        ),
        "results": Target(
            lambda: [b'{"curve": {"fingerprint": "a", "content": [1]}}'], records.read_results, mutate=mutate_json
        ),
        "cache": Target(
            records.make_cache_index, records.read_cache_index, "index.json", (), mutate_json, records.prepare_cache
        ),
    }


def _late(module: str, name: str) -> Callable[..., Any]:
    """Return a function whose module, which is slow to import, is imported when it is called."""
    return lambda *words: getattr(importlib.import_module(f"tests.fuzz.{module}"), name)(*words)


def _table_targets() -> dict[str, Target]:
    coco = json.dumps(records.COCO).encode()
    table, folder, saved = (_late("tables", name) for name in ("read_table", "read_folder", "write_saved"))
    made = {
        "boxes": Target(lambda: [records.BOXES], records.read_box_file, "lesion_boxes.csv"),
        "coco": Target(lambda: [coco], records.read_box_file, "boxes.json", mutate=mutate_json),
        "yolo": Target(lambda: [b"0 0.5 0.5 0.2 0.1\n1 0.1 0.1 0.1 0.1 0.2 0.2\n"], records.read_box_file, "a.txt"),
        "patients": Target(lambda: [records.PATIENTS], records.read_patients, "patients.csv"),
        "notes": Target(lambda: [NOTES], records.read_notes, "view.json", (), mutate_json),
        "parquet": Target(_late("tables", "make_parquet"), table, "a.parquet"),
        "arrow": Target(_late("tables", "make_arrow"), table, "a.arrow"),
        "card": Target(_late("tables", "make_card"), folder, "README.md", prepare=_late("tables", "write_parquet")),
        "saved": Target(_late("tables", "make_state"), folder, "state.json", mutate=mutate_json, prepare=saved),
        "commands": Target(records.make_commands, records.read_command_line, mutate=mutate_json),
    }
    if importlib.util.find_spec("PySide6"):
        made["preferences"] = Target(lambda: [records.INI], records.read_preferences, "Engram.ini", ())
        make, read = _late("windows", "make_memory"), _late("windows", "restore")
        made["window"] = Target(make, read, "memory.json", (), mutate_json)
    return made


TARGETS: dict[str, Target] = {
    **_picture_targets(),
    **_volume_targets(),
    **_record_targets(),
    **_table_targets(),
}
