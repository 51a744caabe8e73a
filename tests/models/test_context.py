"""Inputs on an axis of their own: another text and another series beside each sequence, each with its own length."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.data.conftest import dealt, table, written
from tests.models.conftest import core, random_network
from tests.training.conftest import settings as training
from tests.training.conftest import trained
from unroll.base.errors import UserError
from unroll.config.model import ModelConfig
from unroll.data.batches import ItemLayout
from unroll.data.store import Prepared
from unroll.models.folder import load_model, save_model
from unroll.models.network import Network
from unroll.models.outputs import tensors
from unroll.prediction.predictor import Predictor

INPUTS = {"x": "real", "query": "context_tokens", "past": "context_real", "codes": "context_categories"}
LENGTHS = [5, 3, 8, 1, 4, 6, 2, 7, 3, 5]
QUERIES = ["abc", "", "a", "cabba", "bb", "abcabcabc", "c", "", "ca", "b"]


CODES = [np.array([[*pair] for pair in text.split()], object).reshape(-1, 2) for text in (
    "pu qv", "", "ru", "pv pv qu", "qu", "ru ru ru pu", "qv", "pu", "", "rv zz")]      # two a step, of which z is unknown


def pieces() -> list[dict[str, Any]]:
    """The past is shorter the longer the sequence is, and empty twice; other queries are as long as each other."""
    draw = np.random.default_rng(0)
    return [{"x": draw.standard_normal((length, 2)), "query": QUERIES[number],
             "past": 3 + draw.standard_normal((8 - length, 2)), "codes": CODES[number], "y": draw.standard_normal((length, 1)),
             "label": "uv"[number % 2]} for number, length in enumerate(LENGTHS)]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return written(tmp_path_factory.mktemp("data"), table(INPUTS, {"y": "values", "label": "class"}), dealt(pieces()))


CORES = {"gru last": (core("gru", 4), "last"), "gru of two layers": (core("gru", 4, layers=2), "max"),
         "both ways": (core("lstm", 4, both=True), "last"), "attention": (core("rnn-tanh", 4), "attention"),
         "cnn": (core("cnn", 4), "mean"), "mlp": ({**core("mlp", 4), "window": None}, "last"),
         "bag": (None, "mean"), "largest": (None, "max")}


def config(name: str, joins: str, pooled: bool = True) -> ModelConfig:
    read, pooling = CORES[name]
    own = {"core": read, "pooling": pooling, "dropout": 0.0, "joins": joins}
    heads = {"y": {"kind": "regression", "loss": "squared_error", "pooling": None, "dropout": 0.0},
             "label": {"kind": "classification", "loss": "cross_entropy", "pooling": "last", "dropout": 0.0}}
    return ModelConfig.model_validate({
        "inputs": {"x": {"kind": "real", "size": None, "dropout": 0.0},
                   "query": {"kind": "context_text", "size": 3, **own},
                   "past": {"kind": "context_series", "size": None, **own, "joins": "steps"},
                   "codes": {"kind": "context_category", "size": 2, **own}},
        "core": core("lstm"), "heads": heads if pooled else {"y": heads["y"]},
    })


def network(prepared: Prepared, name: str, joins: str, pooled: bool = True) -> Network:
    return random_network(config(name, joins, pooled), spec=prepared.spec).float()


def test_the_prepared_folder_has_each_length(prepared: Prepared) -> None:
    spec = prepared.spec
    assert (spec.main, spec.longest) == ("x", 8)
    assert {name: (field.kind, field.per, field.longest) for name, field in spec.inputs.items()} == {
        "x": ("real", "step", None), "query": ("tokens", "own", 9), "past": ("real", "own", 7),
        "codes": ("categories", "own", 4)}
    assert spec.splits["train"].characters == 0
    tokenizer = prepared.tokenizer("query")
    assert tokenizer.end is None
    offsets, values = prepared.own_offsets("query", "train"), prepared.values("query", "train")
    assert [tokenizer.decode(values[first:last]) for first, last in pairwise(offsets)] == QUERIES[:6]
    assert np.diff(prepared.own_offsets("past", "train")).tolist() == [8 - length for length in LENGTHS[:6]]
    assert np.diff(prepared.own_offsets("codes", "train")).tolist() == [2, 0, 1, 3, 1, 4]
    assert prepared.values("codes", "test").tolist() == [[3, 2], [0, 0]]


@pytest.mark.parametrize("joins", ["steps", "start"])
@pytest.mark.parametrize("name", CORES)
def test_what_a_sequence_predicts_does_not_depend_on_its_batch(prepared: Prepared, name: str, joins: str) -> None:
    made, data = network(prepared, name, joins), prepared.sequences("train")
    batch = ItemLayout(data, 8, None).batch(0)      # two lanes are empty
    together, _ = made(tensors(batch.inputs), lengths=torch.from_numpy(batch.lengths))
    assert batch.inputs["query.lengths"].tolist() == [len(QUERIES[item]) if item >= 0 else 0 for item in batch.items]
    for lane, item in enumerate(batch.items):
        if item < 0:
            continue
        alone = ItemLayout(data.only(np.array([item])), 1, None).batch(0)
        apart, _ = made(tensors(alone.inputs))
        assert len(alone.inputs["query"]) == max(1, len(QUERIES[item]))
        torch.testing.assert_close(together["label"][lane], apart["label"][0], rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(together["y"][: len(apart["y"]), lane], apart["y"][:, 0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("joins", ["steps", "start"])
@pytest.mark.parametrize("changed", ["query", "past", "codes"])
@pytest.mark.parametrize("name", CORES)
def test_every_input_counts(prepared: Prepared, name: str, changed: str, joins: str) -> None:
    made = network(prepared, name, joins)
    inputs = tensors(ItemLayout(prepared.sequences("train"), 6, None).batch(0).inputs)
    other = {**inputs, changed: inputs[changed].roll(1, dims=1), f"{changed}.lengths": inputs[f"{changed}.lengths"].roll(1)}
    assert not torch.allclose(made(inputs)[0]["label"], made(other)[0]["label"])


@pytest.mark.parametrize("joins", ["steps", "start"])
def test_in_chunks_the_context_is_read_anew(prepared: Prepared, joins: str) -> None:
    made, data = network(prepared, "both ways", joins, pooled=False), prepared.sequences("train")
    whole = ItemLayout(data, 6, None).batch(0)
    expected, _ = made(tensors(whole.inputs))
    layout, state, parts = ItemLayout(data, 6, None, 3), None, []
    for index in range(len(layout)):
        batch = layout.batch(index)
        np.testing.assert_array_equal(batch.inputs["query"], whole.inputs["query"])
        outputs, state = made(tensors(batch.inputs), state)
        parts.append(outputs["y"])
    torch.testing.assert_close(torch.cat(parts), expected["y"])


@pytest.mark.parametrize("ranks", [2, 3])
def test_ranks_pad_alike(prepared: Prepared, ranks: int) -> None:
    layout = ItemLayout(prepared.sequences("train"), 6, 1)
    whole = layout.batch(0)
    parts = [layout.batch(0, 0, rank, ranks) for rank in range(ranks)]
    for name, values in whole.inputs.items():
        axis = 0 if name.endswith(".lengths") else 1
        np.testing.assert_array_equal(np.concatenate([part.inputs[name] for part in parts], axis), values)


@pytest.mark.parametrize("joins", ["steps", "start"])
def test_a_saved_model_reads_in_python_what_the_trained_one_did(prepared: Prepared, tmp_path: Path, joins: str) -> None:
    settings = config("both ways", joins)
    made, _ = trained(prepared, tmp_path / "work", training(epochs=2, batch_size=3, learning_rate=0.1), settings)
    assert all(torch.isfinite(parameter).all() for parameter in made.parameters())
    save_model(tmp_path / "model", made, settings, prepared)
    loaded = load_model(tmp_path / "model")
    batch = ItemLayout(prepared.sequences("test"), 2, None).batch(0)
    expected, _ = loaded.network(tensors(batch.inputs), lengths=torch.from_numpy(batch.lengths))
    given = [{name: piece[name] for name in INPUTS} for piece in pieces()]
    predictor = Predictor(loaded)
    predicted = predictor.predict_all(given)
    for lane, item in enumerate(batch.items):
        second = expected["label"][lane, 0].sigmoid().item()
        np.testing.assert_allclose(predicted["label"][8 + item], [1 - second, second], rtol=1e-4)
    # nor does it matter what else is predicted, nor whether a text comes as its symbols
    for number, piece in enumerate(given):
        symbols = {**piece, "query": loaded.tokenizers["query"].encode(piece["query"])}
        np.testing.assert_allclose(predictor.predict_all([symbols])["label"][0], predicted["label"][number], rtol=1e-9)


def test_a_target_of_each_symbol_is_predicted_beside_what_stands_for_the_text(tmp_path: Path) -> None:
    """The class of each symbol depends on the other text alone, and on a number of the whole."""
    draw = np.random.default_rng(0)
    made = [{"text": "".join(draw.choice([*"ab"], 1 + number % 5)), "query": "yn"[number % 2], "age": np.array([number // 2 % 2]),
             "tag": np.full(1 + number % 5, "pq"[(number % 2) ^ (number // 2 % 2)])} for number in range(60)]
    inputs = {"text": "tokens", "query": "context_tokens", "age": "static_real"}
    prepared = written(tmp_path, table(inputs, {"text": "next", "tag": "tag"}), dealt(made))
    settings = ModelConfig.model_validate({
        "inputs": {"text": {"kind": "embedding", "size": 4, "dropout": 0.0},
                   "query": {"kind": "context_text", "size": 4, "core": None, "pooling": "mean", "dropout": 0.0,
                             "joins": "start"},
                   "age": {"kind": "static", "size": None, "dropout": 0.0, "joins": "steps"}},
        "core": core("gru", 12), "heads": {
            "text": {"kind": "next_token", "dropout": 0.0, "tied": False},
            "tag": {"kind": "classification", "loss": "cross_entropy", "pooling": None, "dropout": 0.0}}})
    network, _ = trained(prepared, tmp_path / "work", training(epochs=60, batch_size=8, learning_rate=0.5, bptt=2), settings)
    save_model(tmp_path / "model", network, settings, prepared)
    predictor = Predictor(load_model(tmp_path / "model"))
    given = [{name: piece[name] for name in inputs} for piece in made[:8]]
    for piece, found in zip(made, predictor.predict_all(given)["tag"], strict=False):
        assert ["pq"[at] for at in found.argmax(axis=1)] == piece["tag"].tolist()


@pytest.mark.parametrize(("changes", "code", "where"), [
    ({"query": 3}, "wrong-type", "sequence 1, query"), ({"past": [1.0, 2.0]}, "wrong-type", "sequence 1, past"),
    ({"past": [[1.0, np.nan]]}, "missing-number", "sequence 1, past, step 1, number 2"),
    ({"query": [99]}, "unknown-symbol", "sequence 1, query, step 1"),
], ids=str)
def test_what_a_model_cannot_read_is_one_line(
    prepared: Prepared, tmp_path: Path, changes: dict[str, Any], code: str, where: str
) -> None:
    settings = config("bag", "steps")
    save_model(tmp_path / "model", random_network(settings, spec=prepared.spec).float(), settings, prepared)
    given = {name: value for name, value in pieces()[0].items() if name in INPUTS}
    with pytest.raises(UserError) as caught:
        Predictor(load_model(tmp_path / "model")).predict([{**given, **changes}])
    assert (caught.value.code, caught.value.where) == (code, where)
