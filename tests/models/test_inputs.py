"""Several inputs: beside each other at every step, or as the core's first state."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.data.conftest import dealt, table, written
from tests.models.conftest import core, random_network
from tests.refusals import refusal
from unroll.base.errors import UserError
from unroll.config.model import ModelConfig
from unroll.data.batches import ItemLayout
from unroll.data.store import Prepared
from unroll.models.folder import load_model, save_model
from unroll.models.network import Network
from unroll.models.outputs import tensors
from unroll.prediction.predictor import Predictor

INPUTS = {"x": "real", "state": "categories", "age": "static_real", "ward": "static_categories"}
LENGTHS = [5, 3, 8, 1, 4, 6, 2, 7, 3, 5]


def pieces() -> list[dict[str, Any]]:
    draw = np.random.default_rng(0)
    return [{"x": draw.standard_normal((length, 2)), "state": draw.choice(["rest", "walk"], (length, 1)),
             "age": draw.standard_normal(1), "ward": np.array([["a", "b"][number % 2], draw.choice(["p", "q", "r"])]),
             "y": draw.standard_normal((length, 1)), "label": "uv"[number % 2]} for number, length in enumerate(LENGTHS)]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return written(tmp_path_factory.mktemp("data"), table(INPUTS, {"y": "values", "label": "class"}), dealt(pieces()))


def config(joins: str, order: tuple[str, ...] = ("x", "state", "age", "ward")) -> ModelConfig:
    encoders = {
        "x": {"kind": "real", "size": None, "dropout": 0.0},
        "state": {"kind": "category", "size": 2, "dropout": 0.0},
        "age": {"kind": "static", "size": 3, "dropout": 0.0, "joins": joins},
        "ward": {"kind": "static_category", "size": 2, "dropout": 0.0, "joins": "steps"},
    }
    return ModelConfig.model_validate({
        "inputs": {name: encoders[name] for name in order}, "core": core("lstm"),
        "heads": {"y": {"kind": "regression", "loss": "squared_error", "pooling": None, "dropout": 0.0},
                  "label": {"kind": "classification", "loss": "cross_entropy", "pooling": "last", "dropout": 0.0}},
    })


def network(prepared: Prepared, joins: str) -> Network:
    return random_network(config(joins), spec=prepared.spec).float()


@pytest.mark.parametrize("joins", ["steps", "start"])
def test_what_a_sequence_predicts_does_not_depend_on_its_batch(prepared: Prepared, joins: str) -> None:
    made, data = network(prepared, joins), prepared.sequences("train")
    batch = ItemLayout(data, 6, None).batch(0)
    together, _ = made(tensors(batch.inputs), lengths=torch.from_numpy(batch.lengths))
    for lane, item in enumerate(batch.items):
        alone = ItemLayout(data.only(slice(int(item), int(item) + 1)), 1, None).batch(0)
        apart, _ = made(tensors(alone.inputs))
        torch.testing.assert_close(together["label"][lane], apart["label"][0])
        torch.testing.assert_close(together["y"][: len(apart["y"]), lane], apart["y"][:, 0])


@pytest.mark.parametrize("joins", ["steps", "start"])
@pytest.mark.parametrize("name", INPUTS)
def test_every_input_counts(prepared: Prepared, joins: str, name: str) -> None:
    made = network(prepared, joins)
    inputs = tensors(ItemLayout(prepared.sequences("train"), 6, None).batch(0).inputs)
    other = {**inputs, name: inputs[name].roll(1, dims=-2)}
    assert not torch.allclose(made(inputs)[0]["label"], made(other)[0]["label"])


def test_the_first_state_is_made_once_and_then_carried(prepared: Prepared) -> None:
    made = network(prepared, "start")
    inputs = tensors(ItemLayout(prepared.sequences("train"), 6, None).batch(0).inputs)
    whole, _ = made(inputs)
    static = {name: inputs[name] for name in ("age", "ward")}
    steps = {name: inputs[name] for name in ("x", "state")}
    first, state = made({**static, **{name: value[:2] for name, value in steps.items()}})
    second, _ = made({**static, **{name: value[2:] for name, value in steps.items()}}, state)
    torch.testing.assert_close(torch.cat([first["y"], second["y"]]), whole["y"])
    # gradients of every parameter also where a state comes in, as several processes need them
    made.train()
    carried, _ = made(inputs, [tuple(part.detach() for part in layer) for layer in state])
    sum(output.sum() for output in carried.values()).backward()
    assert all(parameter.grad is not None for parameter in made.parameters() if parameter.requires_grad)


@pytest.mark.parametrize("order", [("x", "state", "age", "ward"), ("ward", "x", "age", "state")])
@pytest.mark.parametrize("joins", ["steps", "start"])
def test_a_saved_model_reads_its_inputs_as_the_trained_one_did(
    prepared: Prepared, tmp_path: Path, joins: str, order: tuple[str, ...]
) -> None:
    """A file keeps names in order of the alphabet, whatever order the configuration had."""
    settings = config(joins, order)
    made = random_network(settings, spec=prepared.spec).float()
    save_model(tmp_path / "model", made, settings, prepared)
    loaded = load_model(tmp_path / "model")
    batch = ItemLayout(prepared.sequences("test"), 2, None).batch(0)
    expected, _ = made(tensors(batch.inputs), lengths=torch.from_numpy(batch.lengths))
    found, _ = loaded.network(tensors(batch.inputs), lengths=torch.from_numpy(batch.lengths))
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    # and in Python, from the values of the data itself
    given = [{name: piece[name] for name in INPUTS} for piece in pieces()[-2:]]
    predicted = Predictor(loaded).predict_all(given)
    for lane, item in enumerate(batch.items):
        second = expected["label"][lane, 0].sigmoid().item()
        np.testing.assert_allclose(predicted["label"][item], [1 - second, second], rtol=1e-4)


@pytest.mark.parametrize("joins", ["steps", "start"])
def test_sequences_continue_and_are_read_step_by_step(prepared: Prepared, tmp_path: Path, joins: str) -> None:
    """Lanes of which nothing was read start from their own first state, beside others that go on."""
    settings = config(joins)
    save_model(tmp_path / "model", network(prepared, joins), settings, prepared)
    predictor = Predictor(load_model(tmp_path / "model"))
    given = [{name: piece[name] for name in INPUTS} for piece in (pieces()[2], pieces()[7], pieces()[2])]
    given = [{**piece, "x": piece["x"][:6], "state": piece["state"][:6]} for piece in given]
    whole = predictor.predict_all(given)["y"]

    def part(piece: dict[str, Any], steps: slice) -> dict[str, Any]:
        return {name: values[steps] if name in ("x", "state") else values for name, values in piece.items()}

    memory = predictor.memory(3)
    one = memory.lanes(np.array([0]))
    first = predictor.predict_all([part(given[0], slice(2))], one)["y"][0]
    memory.put(np.array([0]), one)
    rest = predictor.predict_all([part(given[0], slice(2, 6)), *given[1:]], memory)["y"]
    np.testing.assert_allclose(np.concatenate([first, rest[0]]), whole[0], rtol=1e-10)
    np.testing.assert_allclose(rest[1], whole[1], rtol=1e-10)
    memory = predictor.memory(3)
    for at in range(6):
        step = {name: np.stack([piece[name][at] if name in ("x", "state") else piece[name] for piece in given])
                for name in INPUTS}
        found = predictor.step(step, memory)
        assert isinstance(found, dict)
        np.testing.assert_allclose(found["y"], [values[at] for values in whole], rtol=1e-10)
    for changes, code, where in (({"age": [[1.0]]}, "wrong-type", "step, age"), ({"ward": None}, "missing-value", "step"),
                                 ({"x": np.zeros((3, 1))}, "wrong-type", "step")):
        wrong = {name: value for name, value in {**step, **changes}.items() if value is not None}
        assert refusal(lambda wrong=wrong: predictor.step(wrong, memory)) == (code, where)


def test_a_category_that_training_never_saw_is_like_any_other(prepared: Prepared, tmp_path: Path) -> None:
    settings = config("steps")
    save_model(tmp_path / "model", random_network(settings, spec=prepared.spec).float(), settings, prepared)
    predictor = Predictor(load_model(tmp_path / "model"))
    piece = {name: value for name, value in pieces()[0].items() if name in INPUTS}
    one, other, known = (predictor.predict_all([{**piece, "ward": np.array([name, "p"])}])["label"][0]
                         for name in ("never", "seen", "a"))
    np.testing.assert_array_equal(one, other)
    assert not np.allclose(one, known)


@pytest.mark.parametrize(("changes", "code", "where"), [
    ({"age": None}, "missing-value", "sequence 1"), ({"other": [1]}, "unknown-name", "sequence 1"),
    ({"age": [1, 2]}, "wrong-type", "sequence 1, age"), ({"ward": ["a"]}, "wrong-type", "sequence 1, ward"),
    ({"state": ["rest"]}, "unequal-lengths", "sequence 1"), ({"x": [[1.0]] * 5}, "wrong-type", "sequence 1, x"),
], ids=str)
def test_what_a_model_cannot_read_is_one_line(
    prepared: Prepared, tmp_path: Path, changes: dict[str, Any], code: str, where: str
) -> None:
    settings = config("steps")
    save_model(tmp_path / "model", random_network(settings, spec=prepared.spec).float(), settings, prepared)
    given = {**{name: value for name, value in pieces()[0].items() if name in INPUTS}, **changes}
    with pytest.raises(UserError) as caught:
        Predictor(load_model(tmp_path / "model")).predict([{name: value for name, value in given.items()
                                                            if value is not None}])
    assert (caught.value.code, caught.value.where) == (code, where)
