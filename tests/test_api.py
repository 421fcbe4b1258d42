"""The public names of `engine`: docs/reference/api.md lists them with their parameters, and its examples run."""

import importlib
import inspect
import re
import textwrap
from typing import Any

import pytest
from PIL import Image

import engine
from engine.search import job
from tests.conftest import ROOT
from tests.engine.search.fake_executor import FakeExecutor

PAGE = (ROOT / "docs" / "reference" / "api.md").read_text("utf-8")
LISTED = dict(re.findall(r"`(engine\.[\w.]+)(?:\(([^`]*)\))?`", re.sub(r"```.*?```", "", PAGE, flags=re.S)))
# The promise of 1.0: a name may be added here and on the page, never taken away.
PROMISED = {
    *("engine.train", "engine.resume", "engine.evaluate", "engine.load_model", "engine.reconstruct"),
    *("engine.JobContext", "engine.Cancelled", "engine.messages", "engine.messages.Search"),
    *("engine.errors.EngramError", "engine.config.preset", "engine.config.presets", "engine.config.from_flat"),
    *("engine.config.to_flat", "engine.runs.open_run", "engine.runs.list_runs", "engine.runs.default_root"),
    *("engine.runs.Run", "engine.runs.Run.state", "engine.runs.Run.best_epoch", "engine.runs.Run.history"),
    *("engine.runs.Run.events", "engine.data.load", "engine.data.open_scan", "engine.data.prepare"),
    *("engine.evaluation.evaluate_with_references", "engine.evaluation.load_dataset", "engine.metrics.mse"),
    *("engine.metrics.mae", "engine.metrics.psnr_db", "engine.metrics.ssim", "engine.metrics.ms_ssim"),
    *("engine.metrics.head_mask", "engine.noise.add_noise", "engine.denoising.baselines.get_denoiser"),
    *("engine.lesions.ellipse", "engine.lesions.rectangle", "engine.lesions.polygon", "engine.lesions.retention"),
    *("engine.lesions.contrast", "engine.lesions.contrast_to_noise", "engine.latent.latent_data.LatentData"),
    *("engine.latent.embedding.compute_embedding", "engine.latent.interpolation.linear"),
    *("engine.latent.interpolation.spherical", "engine.analysis.layers.list_layers"),
    *("engine.analysis.activations.compute", "engine.search.job.search"),
    *("engine.reports.writer.answer_report", "engine.messages.WriteReport"),
}


def find(name: str) -> Any:
    """Return what a dotted name stands for."""
    first, *rest = name.split(".")
    found = importlib.import_module(first)
    for depth, part in enumerate(rest, 1):
        if inspect.ismodule(found) and not hasattr(found, part):
            importlib.import_module(".".join([first, *rest[:depth]]))
        found = getattr(found, part)
    return found


def describe_parameters(call: Any) -> str:
    """Return the names of the parameters, with * before those that are given by name alone."""
    shown, is_after_star = [], False
    for each in inspect.signature(call).parameters.values():
        if each.kind is each.KEYWORD_ONLY and not is_after_star:
            shown.append("*")
            is_after_star = True
        shown.append(each.name)
    return ", ".join(shown)


def test_page_lists_what_is_promised():
    assert set(LISTED) == PROMISED


@pytest.mark.parametrize("name", sorted(LISTED))
def test_listed_name_is_there_with_its_parameters(name):
    found = find(name)
    if LISTED[name]:
        assert describe_parameters(found) == LISTED[name]


def test_engine_has_the_names_that_it_offers():
    for name in engine.__all__:
        assert getattr(engine, name) is not None
    assert {name.split(".")[1] for name in PROMISED} - {"latent", "analysis", "search", "reports"} <= set(
        engine.__all__
    )
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = engine.nothing


def test_package_says_that_it_is_typed():
    assert (ROOT / "engine" / "py.typed").is_file()


@pytest.mark.slow
def test_examples_run(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ENGRAM_RUNS", str(tmp_path))
    monkeypatch.setattr(job, "make_executor", lambda settings, folder: FakeExecutor())  # its trials train nothing
    monkeypatch.setattr(job, "POLL_INTERVAL_S", 0)
    monkeypatch.chdir(tmp_path)
    Image.new("L", (40, 30)).save("head.png")
    scope: dict[str, Any] = {}
    blocks = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    for block in blocks:
        exec(compile(block, "docs/reference/api.md", "exec"), scope)
    assert len(blocks) > 5
    assert scope["run"].state() == "finished"
    for name in sorted(LISTED, key=lambda name: (name != "engine.train", name)):
        for example in find_examples(name):
            names = scope | vars(inspect.getmodule(find(name))) | scope | {"__name__": "__main__"}
            exec(compile(example, name, "exec"), names)
    printed = capsys.readouterr().out
    assert "head.png 1 (30, 40)" in printed
    assert "[({'latent': " in printed


def find_examples(name: str) -> list[str]:
    """Return the examples in a docstring that are no doctests, because they need a run, as those of the page do."""
    examples = re.findall(r"^Example:\n((?: {4}.*\n?)+)", inspect.getdoc(find(name)) or "", re.M)
    return [textwrap.dedent(each) for each in examples if ">>>" not in each]


@pytest.mark.parametrize("name", sorted(name for name in PROMISED if inspect.isfunction(find(name))))
def test_public_function_has_an_example(name):
    """In its docstring, or on the page."""
    is_shown = f".{name.rpartition('.')[2]}(" in "".join(re.findall(r"```python\n(.*?)```", PAGE, re.S))
    assert is_shown or "Example" in (inspect.getdoc(find(name)) or "")
