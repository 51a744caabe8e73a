"""When a training ends, and which weights it leaves."""

import math
from contextlib import nullcontext

import pytest
import torch
from lightning.pytorch import Trainer
from lightning.pytorch.plugins.precision import MixedPrecision
from safetensors.torch import load_file

from tests.conftest import refused
from tests.models.conftest import small
from tests.training.conftest import BATCHES, NEVER, QUIET, equal, settings, trained, weights
from unroll.base.errors import UserError
from unroll.config.objective import LOWEST_LOSS
from unroll.models.network import Network, build
from unroll.training.batches import Batches
from unroll.training.callbacks import Unit
from unroll.training.fit import Watch, fit
from unroll.training.learner import Learner
from unroll.training.work import Work

FAST = {"bptt": 64}      # four steps an epoch


def validated(result) -> list[int]:
    return [row["step"] for row in result.curves["validation"]]


@pytest.fixture
def scripted(monkeypatch):
    """Validation losses as a test writes them."""

    def script(*losses: float) -> None:
        left = iter(losses)
        monkeypatch.setattr(Learner, "on_validation_epoch_end", lambda self: self.log("val/loss", next(left)))

    return script


@pytest.fixture
def seen() -> tuple[dict[int, dict[str, torch.Tensor]], Watch]:
    """The weights of every validation by their step, and who watches them."""
    kept: dict[int, dict[str, torch.Tensor]] = {}

    def keep(network: Network, step: int) -> None:
        kept[step] = weights(network)

    return kept, Watch(QUIET.row, keep, progress=False)


@pytest.mark.parametrize(
    ("changes", "steps", "batches"),
    [
        ({"epochs": 1}, [16], 16),
        ({"epochs": 3}, [16, 32, 48], 48),
        ({"epochs": 3, "max_steps": 5}, [5], 5),
        ({"epochs": 3, "max_steps": 16}, [16], 16),
        ({"epochs": 3, "max_steps": 20}, [16, 20], 20),
        ({"epochs": 1, "max_steps": 1000}, [16], 16),
        ({"epochs": 2, "accumulate": 3}, [6, 12], 32),
        ({"epochs": 2, "accumulate": 3, "max_steps": 4}, [4], 12),
        ({"epochs": 2, "accumulate": 3, "max_steps": 7}, [6, 7], 19),
        ({"epochs": 1, "validate_steps": 6}, [6, 12, 16], 16),
        ({"epochs": 2, "validate_steps": 12}, [12, 24, 32], 32),
        ({"epochs": 2, "validate_steps": 12, "max_steps": 14}, [12, 14], 14),
    ],
    ids=str,
)
def test_a_training_ends_after_its_epochs_or_steps_and_validates(changes, steps, batches, stream, tmp_path):
    _, result = trained(stream, tmp_path, settings(**changes))
    assert validated(result) == steps
    epochs, rest = divmod(batches, BATCHES)
    # the last batch of an epoch alone is not full
    assert result.targets == epochs * len(stream.tokens("text", "train")) + rest * 16 * 8


def test_a_good_enough_loss_ends_the_training(stream, tmp_path, scripted):
    scripted(3.0, 2.0, 1.4, 1.0)
    _, result = trained(stream, tmp_path, settings(epochs=4, stop_below=1.5, **FAST))
    assert validated(result) == [4, 8, 12]
    assert result.steps == 12


def test_patience_ends_a_training_that_does_not_get_better(stream, tmp_path, scripted):
    scripted(3.0, 2.0, 2.5, 1.9, 2.1, 2.0, 1.0)
    _, result = trained(stream, tmp_path, settings(epochs=7, patience=2, **FAST))
    assert validated(result) == [4, 8, 12, 16, 20, 24]
    assert (result.best_step, result.best["loss"], result.steps) == (16, pytest.approx(1.9), 24)


def test_without_patience_a_training_goes_on(stream, tmp_path, scripted):
    scripted(1.0, 2.0, 3.0, 4.0, 5.0)
    assert trained(stream, tmp_path, settings(epochs=5, **FAST))[1].steps == 20


def test_the_clock_ends_a_training_in_mid_epoch(stream, tmp_path):
    _, result = trained(stream, tmp_path, settings(epochs=100, max_minutes=1 / 60))
    assert 0 < result.steps < 100 * BATCHES
    assert validated(result)[-1] == result.steps


def test_the_best_weights_are_left_not_the_last(stream, tmp_path, scripted, seen):
    kept, watch = seen
    scripted(3.0, 2.0, 2.5, 2.2)
    network, result = trained(stream, tmp_path, settings(epochs=4, **FAST), watch=watch)
    assert (result.best_step, result.best["loss"]) == (8, 2.0)
    assert equal(weights(network), kept[8])
    assert not equal(kept[8], kept[16])


def test_of_equal_losses_the_first_counts(stream, tmp_path, scripted, seen):
    kept, watch = seen
    scripted(2.0, 2.0)
    network, result = trained(stream, tmp_path, settings(epochs=2, **FAST), watch=watch)
    assert result.best_step == 4
    assert equal(weights(network), kept[4])


def test_the_watcher_sees_every_row_and_a_network_in_evaluation_mode(stream, tmp_path):
    rows, modes = [], []
    watch = Watch(lambda *row: rows.append(row), lambda network, step: modes.append((network.training, step)), False)
    _, result = trained(stream, tmp_path, settings(log_steps=8), watch=watch)
    assert [row for curve, row in rows if curve == "train"] == result.curves["train"]
    assert [row for curve, row in rows if curve == "validation"] == result.curves["validation"]
    assert modes == [(False, 16)]


def test_progress_says_what_a_validation_came_to(stream, tmp_path, capsys):
    watch = Watch(QUIET.row, QUIET.network, progress=True)
    _, result = trained(stream, tmp_path, settings(), watch=watch)
    said, best = capsys.readouterr().err, result.best["loss"]
    assert f"train: step 16, validation loss {best:.4f}, {best:.3f} bits/character" in said


def test_too_little_memory_leaves_the_best_weights(stream, tmp_path, monkeypatch):
    step, count = Learner.training_step, iter(range(99))
    monkeypatch.setattr(Learner, "training_step",
                        lambda *given: step(*given) if next(count) < 3 else torch.zeros(1 << 60))
    with refused("no-memory", "train", "The best weights so far (step 2) are in "):
        trained(stream, tmp_path, settings(validate_steps=2))


def test_a_batch_that_memory_is_too_small_for_is_one_line(stream, tmp_path, monkeypatch):
    monkeypatch.setattr(Learner, "training_step", lambda *_: torch.zeros(1 << 60))
    with pytest.raises(UserError) as caught:
        trained(stream, tmp_path, settings(batch_size=4, bptt=16))
    assert str(caught.value) == ("train: too little memory for a batch of 4 lanes of train.bptt=16 steps. Lower "
                                 "train.batch_size or model.core.hidden_size, or cut the sequences.")


@pytest.mark.parametrize(("cell", "rate"), [("rnn-relu", 1e6), ("rnn-identity", 30.0)])
def test_a_loss_that_is_not_finite_stops_the_training_and_keeps_the_best_weights(stream, tmp_path, cell, rate):
    config = settings(learning_rate=rate, validate_steps=1)
    with pytest.raises(UserError) as caught:
        trained(stream, tmp_path, config, small(cell))
    said = str(caught.value)
    assert (caught.value.code, caught.value.where) == ("diverged", "train.learning_rate")
    assert f"learning rate {rate:.3g}, gradient norm" in said
    assert f"are in {tmp_path / 'best.safetensors'}." in said
    assert "\n" not in said
    best = load_file(tmp_path / "best.safetensors")
    build(small(cell), stream.spec, seed=0).load_state_dict(best)
    assert all(each.isfinite().all() for each in best.values())


def test_poisoned_weights_stop_the_training_one_step_later(stream, tmp_path, seen):
    kept, _ = seen

    def poison(network: Network, step: int) -> None:
        kept[step] = weights(network)
        if step == 4:
            with torch.no_grad():
                network.core.layers[0].weights.hh[0, 0] = math.nan

    watch = Watch(QUIET.row, poison, progress=False)
    with refused("diverged", "train.learning_rate", "at step 4 (learning rate 0.5, gradient norm nan, before that 0.",
                 f"The best weights so far (step 4) are in {tmp_path / 'best.safetensors'}."):
        trained(stream, tmp_path, settings(validate_steps=2), watch=watch)
    assert equal(load_file(tmp_path / "best.safetensors"), kept[4])


@pytest.mark.parametrize(("value", "norm"), [(math.nan, "nan"), (1e30, "inf")])
def test_a_gradient_that_is_not_finite_at_once_has_no_best_weights(stream, tmp_path, value, norm):
    """Of finite gradients, too, the norm can be beyond all numbers: clipping by it would stop all learning."""
    config = settings(clip_norm=1.0)
    network = build(small("gru"), stream.spec, seed=1)
    with torch.no_grad():
        network.heads["text"].weight[0, 0] = value
    with refused("diverged", "train.learning_rate", "at step 0 (", f"gradient norm {norm}, "):
        fit(network, Batches(stream, config, 0, False), config, LOWEST_LOSS, Unit("symbols", 1.0),
            Work(tmp_path, "key", NEVER, 1), QUIET)
    assert list(tmp_path.iterdir()) == []


def test_a_training_without_a_finite_validation_is_refused(stream, tmp_path, scripted):
    scripted(math.nan, math.nan)
    with refused("diverged", "train.learning_rate", "no validation was"):
        trained(stream, tmp_path, settings(epochs=2, **FAST))


def test_the_same_training_twice_has_the_same_weights_whatever_was_drawn_before(stream, tmp_path):
    model = small("lstm", layers=2, dropout=(0.1, 0.2, 0.3))
    made = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        network, _ = trained(stream, tmp_path / str(seed), settings(max_steps=6), model)
        made.append(weights(network))
    assert equal(*made)


def test_another_seed_trains_other_weights(stream, tmp_path):
    first, second = (trained(stream, tmp_path / str(s), settings(max_steps=1, seed=s))[0] for s in (1, 2))
    assert not equal(weights(first), weights(second))


@pytest.mark.parametrize("unit", ["stream", "lines"])
def test_processes_that_load_batches_do_not_change_the_weights(unit, tmp_path, request):
    prepared = request.getfixturevalue(unit)
    made = [trained(prepared, tmp_path / str(each), settings(epochs=2), workers=each) for each in (0, 2)]
    (first, alone), (second, helped) = made
    assert equal(weights(first), weights(second))
    assert alone.curves == helped.curves


@pytest.mark.parametrize("kind", ["adamw", "rmsprop"])
def test_every_optimiser_learns(stream, tmp_path, kind):
    section = {"adamw": {"beta1": 0.9, "beta2": 0.99}, "rmsprop": {"alpha": 0.95, "momentum": 0.0}}[kind]
    optimizer = {"kind": kind, "weight_decay": 0.0, **section}
    _, result = trained(stream, tmp_path, settings(optimizer=optimizer, learning_rate=0.01, epochs=2))
    losses = [row["loss"] for row in result.curves["train"]]
    assert losses[-1] < losses[0] - 0.3


def test_a_missing_accelerator_is_named(stream, tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with refused("no-device", "train.accelerator", "finds 0 GPUs"):
        trained(stream, tmp_path, settings(accelerator="gpu"))


def test_a_training_leaves_the_process_as_it_was(stream, tmp_path):
    """What is computed after it in one process is what a process of its own computes."""
    trained(stream, tmp_path, settings())
    assert torch.tensor(1e-40) * 0.5 > 0, "subnormal numbers are still flushed"
    assert not torch.are_deterministic_algorithms_enabled()


def test_a_validation_interval_longer_than_the_training_still_measures_the_last_weights(stream, tmp_path):
    _, result = trained(stream, tmp_path, settings(epochs=1, validate_steps=10_000))
    assert [row["step"] for row in result.curves["validation"]] == [result.steps] and result.best_step == result.steps


def test_the_best_weights_of_an_earlier_failure_are_not_taken_for_this_ones(stream, tmp_path):
    (tmp_path / "best.safetensors").write_bytes(b"of another run")
    trained(stream, tmp_path, settings())
    assert (tmp_path / "best.safetensors").read_bytes() != b"of another run"


# ------------------------------------------------------------------------------------------------- scaled gradients


class Scaled(MixedPrecision):
    """As with `16-mixed`, but the network computes in float32, which a CPU can."""

    def autocast_context_manager(self):
        return nullcontext()


class Overflowing(torch.amp.GradScaler):
    """Gradients overflow, as those of float16 do, until the scale is below 1,000."""

    def __init__(self, scale: float, overflow: float) -> None:
        super().__init__("cpu", init_scale=scale, backoff_factor=1 / 64)
        self.overflow = overflow

    def scale(self, outputs):
        return super().scale(outputs) * (self.overflow if self.get_scale() > 1000 else 1)


@pytest.fixture
def scaler(monkeypatch, request) -> Overflowing:
    scaler = Overflowing(*request.param)

    def trainer(**options):
        del options["precision"]
        return Trainer(**options | {"plugins": [*options["plugins"], Scaled("16-mixed", "cpu", scaler)]})

    monkeypatch.setattr("unroll.training.fit.Trainer", trainer)
    monkeypatch.setattr("unroll.training.fit.check_devices", lambda config: None)
    return scaler


@pytest.mark.parametrize("scaler", [(2.0**20, math.inf), (2.0**20, math.nan)], indirect=True)
@pytest.mark.parametrize("clip", [None, 0.5])
@pytest.mark.parametrize("kind", ["sgd", "adamw"])
def test_a_step_whose_scaled_gradient_overflows_is_skipped(stream, tmp_path, scaler, seen, clip, kind):
    section = {"sgd": {"momentum": 0.0}, "adamw": {"beta1": 0.9, "beta2": 0.99}}[kind]
    config = settings(validate_steps=1, clip_norm=clip, learning_rate=0.01, precision="16-mixed",
                      optimizer={"kind": kind, "weight_decay": 0.0, **section})
    kept, watch = seen
    started = weights(build(small("gru"), stream.spec, config.seed))
    _, result = trained(stream, tmp_path, config, watch=watch)
    assert [step for step in kept if equal(kept[step], started)] == [1, 2] and result.steps == BATCHES
    assert scaler.get_scale() == 2.0**8
    norms = [row["gradient_norm"] for row in result.curves["train"]]
    assert all(map(math.isnan, norms[:2])) and all(map(math.isfinite, norms[2:]))
    if clip and kind == "sgd":      # the gradient is clipped after it was scaled back
        before, after = (torch.cat([each.flatten() for each in kept[step].values()]) for step in (2, 3))
        assert float((after - before).norm()) == pytest.approx(0.01 * min(clip, norms[2]), rel=1e-3)


@pytest.mark.parametrize("kind", ["sgd", "adamw"])
@pytest.mark.parametrize("scaler", [(2.0**8, math.inf)], indirect=True)
def test_a_scaled_training_is_an_unscaled_one(stream, tmp_path, scaler, monkeypatch, kind):
    section = {"sgd": {"momentum": 0.0}, "adamw": {"beta1": 0.9, "beta2": 0.99}}[kind]
    changes = {"clip_norm": 0.1, "learning_rate": 0.01, "optimizer": {"kind": kind, "weight_decay": 0.0, **section}}
    _, scaled = trained(stream, tmp_path / "scaled", settings(**changes, precision="16-mixed"))
    monkeypatch.undo()
    _, plain = trained(stream, tmp_path / "plain", settings(**changes))
    for name in ("loss", "gradient_norm"):
        rows = [[row[name] for row in result.curves["train"]] for result in (scaled, plain)]
        assert rows[0] == pytest.approx(rows[1], rel=1e-4)


@pytest.mark.parametrize("scaler", [(1.0, math.inf)], indirect=True)
def test_a_loss_that_no_scale_makes_finite_stops_the_training(stream, tmp_path, scaler, monkeypatch):
    step = Learner.training_step
    monkeypatch.setattr(Learner, "training_step", lambda *given: {**(made := step(*given)), "loss": made["loss"] * math.nan})
    with refused("diverged", "train.learning_rate", "at step 1 "):
        trained(stream, tmp_path, settings())
