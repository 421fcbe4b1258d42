"""A W&B sweep as the tuner: described, refused without a login, and carried out against a server on loopback."""

import io
import json

import pytest
import yaml

from engine import backend, cli, config
from engine.errors import ConfigError, TrackingError
from engine.messages import Search, read_event
from engine.processes.training_worker import TrainingWorker
from engine.search import folder, job, search_spec, wandb_sweep
from tests.engine.tracking.wandb_server import SweepServer
from tests.trained_runs import TINY

SPACE = {
    "learning_rate": {"low": 1e-4, "high": 1e-2, "log": True},
    "latent": {"low": 4, "high": 8},
    "filters": [[4, 8], [8, 8]],
}
OPTIONS = [
    "--data",
    "phantom",
    "--size",
    "32",
    "--phantom-count",
    "36",
    "--filters",
    "4,8",
    "--epochs",
    "1",
    "--batch-size",
    "8",
]


@pytest.fixture
def no_login(monkeypatch, tmp_path):
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))


def test_a_plan_is_described_as_a_sweep():
    plan = search_spec.make_spec(config.from_flat(TINY), SPACE, {"tuner": "wandb"})
    assert yaml.safe_load(wandb_sweep.to_sweep_yaml(plan)) == {
        "method": "bayes",
        "metric": {"name": "val_loss", "goal": "minimize"},
        "parameters": {
            "learning_rate": {"distribution": "log_uniform_values", "min": 1e-4, "max": 1e-2},
            "latent": {"distribution": "int_uniform", "min": 4, "max": 8},
            "filters": {"values": [[4, 8], [8, 8]]},
        },
    }


def test_without_a_login_a_sweep_is_refused_and_the_offline_way_is_said(no_login, tmp_path):
    order = Search(
        name="s", root=str(tmp_path), base=config.from_flat(TINY), space=SPACE, settings={"tuner": "wandb", "trials": 2}
    )
    with pytest.raises(TrackingError, match=r"needs a W&B login.*Use KerasTuner as the tuner"):
        job.search(order)
    assert list(tmp_path.iterdir()) == []  # the name is free for another tuner
    begun = folder.prepare_folder(order.model_copy(update={"settings": {"tuner": "keras-tuner"}}))
    with begun.open_storage() as ledger:
        assert search_spec.spec_from_attrs(ledger).settings.tuner == "keras-tuner"


def test_from_the_command_line_a_refused_sweep_leaves_nothing_either(no_login, tmp_path, capsys):
    runs, file = tmp_path / "runs", tmp_path / "space.json"
    file.write_text('{"latent": [4, 8]}')
    words = ["search", "--name", "s", "--tuner", "wandb", "--space", str(file), "--runs", str(runs), *OPTIONS]
    assert cli.main(words) == 2
    assert "needs a W&B login" in capsys.readouterr().err
    assert not runs.exists()


def test_from_the_window_a_refused_sweep_leaves_nothing_either(no_login, tmp_path, tiny):
    lines, runs = io.BytesIO(), tmp_path / "runs"
    order = Search(name="s", root=str(runs), base=tiny(), space={"latent": [4, 8]}, settings={"tuner": "wandb"})
    TrainingWorker([], lines, tmp_path)._handle(order)
    (refused,) = (read_event(line) for line in lines.getvalue().splitlines())
    assert "needs a W&B login" in refused.reason
    assert not runs.exists()


@pytest.mark.parametrize(
    ("space", "settings", "said"),
    [
        (
            {"latent": [4, 8], "schedule": {"values": ["constant", "cosine"], "when": {"latent": [4]}}},
            {},
            "'schedule' has a condition",
        ),
        ({"latent": [4, 8]}, {"algorithm": "hyperband"}, "do not support Hyperband"),
        ({"latent": [4, 8]}, {"parallel": 2}, "one trial at a time"),
    ],
)
def test_what_a_sweep_cannot_do_is_said_before_anything_is_made(space, settings, said):
    with pytest.raises(ConfigError, match=said):
        search_spec.make_spec(config.from_flat(TINY), space, {"tuner": "wandb", **settings})


@pytest.mark.slow
def test_what_w_b_proposes_is_trained_and_told_and_nothing_twice(executor, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(job, "POLL_INTERVAL_S", 0.05)  # it waits for the agent, a real process
    monkeypatch.setattr(
        backend, "import_without_compute", lambda: None
    )  # the tests after this one compute in this process
    (tmp_path / "space.json").write_text('{"latent": [4, 8]}')
    with SweepServer([{"latent": 8}, {"latent": 8}, {"latent": 4}]) as server:
        monkeypatch.setenv("WANDB_BASE_URL", server.address)
        monkeypatch.setenv("WANDB_API_KEY", "0" * 40)
        words = ["search", "--name", "s", "--tuner", "wandb", "--space", tmp_path / "space.json", "--trials", "3"]
        words += [*OPTIONS, "--runs", tmp_path, "--json", "--sweep-yaml", tmp_path / "sweep.yaml"]
        status = cli.main([str(word) for word in words])
    printed = capsys.readouterr()
    assert status == 0, printed.err
    said = json.loads(printed.out)
    assert [trial["config"] for trial in said["trials"]] == [{"latent": 8}, {"latent": 4}]
    assert {trial["state"] for trial in said["trials"]} == {"finished"}
    assert {trial["origin"] for trial in said["trials"]} == {"wandb"}
    assert said["ended"] == "exhausted"
    assert executor.begun == [(1, 0), (2, 0)]
    assert "UpsertSweep" in server.asked
    assert (tmp_path / "_searches" / "s" / "wandb").is_dir()
    assert yaml.safe_load(server.sweep)["parameters"] == {"latent": {"values": [4, 8]}}
    assert yaml.safe_load((tmp_path / "sweep.yaml").read_text())["method"] == "bayes"
