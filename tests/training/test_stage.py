"""The stage: a prepared folder becomes a model folder, curves and metrics, or nothing."""

import csv
import errno
import json
import math
import shutil
from pathlib import Path

import pytest

import unroll.stages.train as module
from tests.conftest import REPOSITORY, TINY, run, snapshot, tiny
from tests.training.conftest import composed, settings
from unroll.base import files
from unroll.base.errors import UserError
from unroll.base.files import sha256
from unroll.base.workspace import Workspace
from unroll.commands.cli import main
from unroll.compose import compose
from unroll.models.folder import load_model
from unroll.training.learner import Learner

CONSTANT = "train.schedule={kind:constant,warmup_steps:0,final_fraction:1.0}"
SHORT = ("train.max_steps=null", CONSTANT, "train.bptt=64")


@pytest.fixture
def made(stream, tmp_path: Path) -> Workspace:
    """The short corpus, prepared."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "prepared").symlink_to(stream.folder)
    return Workspace(tmp_path, tmp_path)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_training_leaves_a_model_curves_and_metrics(made):
    run(made, composed("train.epochs=2", "train.max_steps=null", "train.log_steps=8"), "train")
    train, validation = (rows(made.plots / f"{name}.csv") for name in ("train", "validation"))
    assert list(train[0]) == ["step", "loss", "learning_rate", "gradient_norm", "clipped", "bpc"]
    assert list(validation[0]) == ["step", "loss", "bpc"]
    assert [row["step"] for row in train] == ["8", "16", "24", "32"]
    assert [row["step"] for row in validation] == ["16", "32"]
    for row in (*train, *validation):       # one character is one symbol here
        assert float(row["bpc"]) == pytest.approx(float(row["loss"]) / math.log(2), rel=1e-12)
    metrics = json.loads((made.metrics / "train.json").read_text())
    model = load_model(made.model)
    assert metrics == {
        "train/steps": 32,
        "train/best_step": 32,
        "val/best_loss": float(validation[1]["loss"]),
        "val/best_bpc": float(validation[1]["bpc"]),
        "model/parameters": sum(each.numel() for each in model.network.parameters() if each.requires_grad),
    }
    assert list(made.work.iterdir()) == []


@pytest.mark.parametrize(("steps", "warmup", "batches", "windows", "lines"), [
    (50, 50, 1, False, 1), (51, 50, 1, False, 0), (0, 0, 1, True, 2), (99, 0, 10, True, 1), (100, 0, 10, True, 0),
    (99, 0, 10, False, 0), (30, 30, 10, True, 2),
])
def test_too_short_a_training_is_said(steps, warmup, batches, windows, lines):
    """No longer than its warm-up, or fewer than ten epochs of windows."""
    schedule = {"kind": "constant", "warmup_steps": warmup, "final_fraction": 1.0}
    config = settings(schedule=schedule, patience=None)
    assert len(module.too_little(steps, config, batches, windows)) == lines


def test_a_network_that_no_memory_holds_is_one_line(made, capsys):
    text, _ = compose(REPOSITORY / "conf", [*TINY, "model.core.hidden_size=1000000"])
    made.params.write_text(text, encoding="utf-8")
    with pytest.raises(SystemExit) as stop:
        main(["train", "--root", str(made.root), "--project", str(REPOSITORY)])
    assert stop.value.code == 2
    assert capsys.readouterr().err.startswith("unroll: train: this machine has too little memory for it.")


def test_the_model_folder_holds_the_best_weights(made, monkeypatch):
    run(made, composed(*SHORT, "train.epochs=1"), "train")
    first_epoch = sha256(made.model / "model.safetensors")
    run(made, composed(*SHORT, "train.epochs=3"), "train")
    assert sha256(made.model / "model.safetensors") != first_epoch
    losses = iter([2.0, 3.0, 4.0])
    monkeypatch.setattr(Learner, "on_validation_epoch_end", lambda self: self.log("val/loss", next(losses)))
    run(made, composed(*SHORT, "train.epochs=3"), "train")
    assert sha256(made.model / "model.safetensors") == first_epoch
    assert json.loads((made.metrics / "train.json").read_text())["train/best_step"] == 4


def test_a_training_that_fails_leaves_no_output_and_its_work(made):
    config = composed("model=rnn", "model.core.nonlinearity=identity", "train/optimizer=sgd", "train.learning_rate=1",
                      "train.clip_norm=null", "train.validate_steps=1", CONSTANT)
    with pytest.raises(UserError) as caught:
        run(made, config, "train")
    assert caught.value.code == "diverged"
    assert not made.model.exists()
    assert not made.metrics.exists()
    assert not made.plots.exists()
    (best,) = made.work.rglob("best.safetensors")
    assert str(best) in str(caught.value)


@pytest.mark.parametrize("name", ["save_model", "write_json", "write_rows"])
def test_stopped_while_outputs_are_written_it_goes_on_from_its_work(made, monkeypatch, capsys, name):
    config = composed(*SHORT, "train.epochs=2", "runtime.checkpoint.steps=3")
    run(made, config, "train")
    expected = snapshot(made.root, "artifacts", "metrics", "plots")
    for folder in ("artifacts", "metrics", "plots"):
        shutil.rmtree(made.root / folder)

    def stop(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
        patch.setattr(module, name, stop)
        run(made, config, "train")
    assert "going on from" not in capsys.readouterr().out
    run(made, config, "train")
    assert "step-000000006" in capsys.readouterr().out
    assert snapshot(made.root, "artifacts", "metrics", "plots") == expected
    assert list(made.work.iterdir()) == []


def test_a_full_disk_at_a_checkpoint_leaves_the_one_before_it(made, monkeypatch, capsys):
    config = composed(*SHORT, "train.epochs=2", "runtime.checkpoint.steps=3")

    def full(file, *_):
        if list(made.work.rglob("step-*")):
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space"):
        patch.setattr(files, "_sync", full)
        run(made, config, "train")
    (state,) = made.work.rglob("state")
    assert state.parent.name == "step-000000003" and len(list(state.parent.parent.glob(".*"))) == 0
    run(made, config, "train")
    assert "going on from" in capsys.readouterr().out and load_model(made.model)


def test_a_training_too_short_for_a_row_has_a_curve_of_none(made):
    run(made, composed("train.max_steps=2"), "train")
    assert (made.plots / "train.csv").read_text() == "step,loss,bpc\n"
    assert len(rows(made.plots / "validation.csv")) == 1


def test_a_prepared_folder_of_another_configuration_is_refused(made):
    with pytest.raises(UserError, match=r"made from another configuration \(data\.seed differs\)"):
        run(made, composed("data.seed=2"), "train")
    assert not made.work.exists()


def test_the_test_split_is_touched_by_evaluate_and_generate_alone(workspace):
    run(workspace, tiny(), "prepare")
    (workspace.prepared / "test" / "text" / "values.npy").unlink()
    run(workspace, tiny(), "train")
    for stage in ("evaluate", "generate"):
        with pytest.raises(UserError, match=r"test/text/values\.npy: missing"):
            run(workspace, tiny(), stage)
