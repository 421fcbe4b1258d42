"""The request to write a whole volume: noise, progress, cancellation. The model returns its input."""

from types import SimpleNamespace

import nibabel
import numpy as np
import pytest

from engine.data import nifti
from engine.evaluation import volume
from engine.explorer.context import make_job_context
from engine.explorer.volume_handlers import VolumeHandlers
from engine.job_context import Cancelled
from engine.messages import ExportVolume
from engine.runs import create_run


@pytest.fixture
def export(tiny, tmp_path, monkeypatch, events):
    """Write a volume of 80 slices with a model that returns its input: `export(sigma=0.1)`."""
    values = np.random.default_rng(0).integers(0, 100, (32, 32, 80)).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(values, np.eye(4)), tmp_path / "head.nii")
    monkeypatch.setattr(volume, "open_scan", lambda path, volume, series: nifti.read_scan(tmp_path / "head.nii"))
    run = create_run(tiny(size=32), "first", tmp_path / "runs")

    def go(should_stop=lambda: False, **fields):
        warm = SimpleNamespace(
            model=lambda name: (SimpleNamespace(predict_on_batch=lambda images: images), run),
            job_context=lambda request: make_job_context(request, events.append, should_stop),
        )
        request = ExportVolume(panel="volume", run="first", scan=str(tmp_path / "head.nii"), **fields)
        return VolumeHandlers(warm).export(request)

    return go


def test_a_volume_is_written_with_progress(export, tmp_path, events):
    reply = export(path=str(tmp_path / "out.nii"))
    assert (reply.path, reply.slices) == (str(tmp_path / "out.nii"), 80)
    change = nibabel.load(reply.path).get_fdata() - nibabel.load(tmp_path / "head.nii").get_fdata()
    assert np.abs(change).max() < 2
    assert [(each.done, each.total) for each in events][-1] == (80, 80)
    assert len(events) > 2


def test_noise_is_added_if_it_has_a_level(export, tmp_path):
    export(path=str(tmp_path / "out.nii"), noise="gaussian", sigma=0.2, seed=3)
    change = nibabel.load(tmp_path / "out.nii").get_fdata() - nibabel.load(tmp_path / "head.nii").get_fdata()
    assert change[..., 0].std() > 5


def test_a_canceled_request_writes_nothing(export, tmp_path):
    answers = iter([False, True, True])
    with pytest.raises(Cancelled):
        export(path=str(tmp_path / "out.nii"), should_stop=lambda: next(answers))
    assert not (tmp_path / "out.nii").exists()
