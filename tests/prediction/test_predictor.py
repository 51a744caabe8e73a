"""Sequences in, predictions out: whichever way they are cut and whatever else is in the batch."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import unroll
from tests.prediction.conftest import (
    CAUSAL,
    CLASSES,
    CORES,
    HORIZON,
    LEVELS,
    ZOO,
    Made,
    Make,
    core,
    make,
    refused,
    save_random,
    some,
)
from tests.refusals import refusal
from unroll.config.model import ModelConfig
from unroll.models.folder import Model, save_model
from unroll.models.network import build
from unroll.prediction import predictor as module
from unroll.prediction.memory import Memory
from unroll.prediction.predictor import Predictor

SHAPES = {      # of one sequence of T steps
    "class": (3,), "class_mean": (3,), "tag": ("T", 3), "labels": ("T", 2), "value": (1,), "values": ("T", 2),
    "next": ("T", 2), "text_class": (3,), "text_class_attention": (3,), "text_value": (1,), "text_tag": ("T", 3),
    "text_labels": ("T", 2), "text_values": ("T", 1), "stream": ("T",), "lines": ("T+1",), "rows": ("T+1",),
    "bytes": ("T",), "forecast": (HORIZON, 1, 3), "forecast_two": (HORIZON, 2, 3),
}


def alone(made: Made, sequences: list[Any]) -> list[Any]:
    return [made.predictor.predict([each])[0] for each in sequences]


def close(found: Any, expected: Any) -> None:
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ZOO)
def test_every_head_answers_in_its_own_shape(zoo: Make, name: str) -> None:
    made = zoo(name)
    for sequence, found in zip(sequences := some(made), made.predictor.predict(sequences), strict=True):
        steps = {"T": len(sequence), "T+1": len(sequence) + 1}      # a text's end is a symbol, too
        assert found.shape == tuple(steps.get(each, each) for each in SHAPES[name])
        assert found.dtype == np.float64
        if made.predictor.kind == "classification":
            np.testing.assert_allclose(found.sum(axis=-1), 1, atol=1e-6)
        if made.predictor.kind in ("classification", "labels", "next_token"):
            assert ((found >= 0) & (found <= 1)).all()
        if made.predictor.kind == "forecast":
            assert (np.diff(found, axis=-1) >= 0).all() and (found > 0).all()       # of logarithms


@pytest.mark.parametrize("name", ZOO)
def test_what_else_is_in_the_batch_changes_nothing(zoo: Make, name: str) -> None:
    made = zoo(name, "lstm", both_ways=name in ("class_mean", "tag", "text_tag", "text_class_attention"))
    sequences = some(made)
    sequences += [sequences[0], sequences[1][:-1]]
    order = np.random.default_rng(0).permutation(len(sequences))
    expected = alone(made, sequences)
    close(made.predictor.predict(sequences), expected)
    close(made.predictor.predict([sequences[each] for each in order]), [expected[each] for each in order])


@settings(max_examples=20, deadline=None)
@given(mixture=st.lists(st.integers(0, 6), min_size=1, max_size=12), name=st.sampled_from(sorted(ZOO)))
def test_any_mixture_gives_what_each_gives_alone(zoo: Make, mixture: list[int], name: str) -> None:
    made = zoo(name)
    sequences = some(made)
    expected = alone(made, sequences)
    close(made.predictor.predict([sequences[each] for each in mixture]), [expected[each] for each in mixture])


def test_more_sequences_and_steps_than_are_read_at_a_time(zoo: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, both_ways in (("tag", False), ("tag", True), ("stream", False), ("class", False), ("class_mean", True),
                            ("forecast", False)):
        made = zoo(name, "lstm", both_ways)
        sequences = some(made, 12)
        expected = made.predictor.predict(sequences)
        with monkeypatch.context() as patch:
            patch.setattr(module, "LANES", 3)
            patch.setattr(module, "STEPS", 7)
            close(made.predictor.predict(sequences), expected)


@pytest.mark.parametrize("cell", CORES)
@pytest.mark.parametrize("name", CAUSAL)
def test_two_chunks_with_a_memory_are_the_whole(zoo: Make, name: str, cell: str) -> None:
    made = zoo(name, cell)
    sequences = some(made, 4)
    whole = made.predictor.predict(sequences)
    memory = made.predictor.memory(4)
    cuts = [1, 7, 13, 19]
    first = made.predictor.predict([each[:cut] for each, cut in zip(sequences, cuts, strict=True)], memory)
    second = made.predictor.predict([each[cut:] for each, cut in zip(sequences, cuts, strict=True)], memory, end=True)
    if made.predictor.per == "sequence":
        close(second, whole)
    else:
        close([np.concatenate(parts) for parts in zip(first, second, strict=True)], whole)
    assert memory.steps.tolist() == [len(each) + (name in ("lines", "rows", "text_class", "text_value"))
                                     for each in sequences]


@settings(max_examples=20, deadline=None)
@given(name=st.sampled_from(["tag", "stream", "class"]), cell=st.sampled_from(CORES), data=st.data())
def test_any_chunks_are_the_whole(zoo: Make, name: str, cell: str, data: st.DataObject) -> None:
    made = zoo(name, cell)
    (sequence,) = some(made, 1)
    cuts = sorted({0, len(sequence), *data.draw(st.lists(st.integers(1, len(sequence) - 1), max_size=5))})
    memory = made.predictor.memory(1)
    parts = [made.predictor.predict([sequence[first:last]], memory)[0] for first, last in pairwise(cuts)]
    (whole,) = made.predictor.predict([sequence])
    close([parts[-1] if name == "class" else np.concatenate(parts)], [whole])


@pytest.mark.parametrize("cell", CORES)
@pytest.mark.parametrize("name", ["class", "tag", "labels", "value", "values", "next", "text_tag", "text_class"])
def test_step_by_step_is_the_whole(zoo: Make, name: str, cell: str) -> None:
    made = zoo(name, cell)
    sequences = [each[:20] for each in some(made, 3)]
    whole = made.predictor.predict(sequences)
    if made.predictor.input == "text":
        tokenizer = made.predictor.model.tokenizers["text"]
        end = [] if tokenizer.end is None else [tokenizer.end]
        sequences = [[*tokenizer.encode(each), *end] for each in sequences]
    memory = made.predictor.memory(3)
    steps = [made.predictor.step(np.stack(each), memory) for each in zip(*sequences, strict=True)]
    close(steps[-1] if made.predictor.per == "sequence" else np.stack(steps, axis=1), np.stack(whole))
    assert memory.steps.tolist() == [len(sequences[0])] * 3


@pytest.mark.parametrize("cell", CORES)
@pytest.mark.parametrize("name", ["stream", "lines", "bytes"])
def test_a_language_model_steps_from_symbol_to_symbol(zoo: Make, name: str, cell: str) -> None:
    predictor = zoo(name, cell).predictor
    text = "abc de"
    ids = predictor.model.tokenizers["text"].encode(text)
    (whole,) = predictor.predict([text], end=False)
    memory = predictor.memory(1)
    before = [predictor.step(None, memory)[0], *(predictor.step(ids[[at]], memory)[0] for at in range(len(ids) - 1))]
    close([[each[symbol] for each, symbol in zip(before, ids, strict=True)]], [whole])
    np.testing.assert_allclose(np.sum(before, axis=-1), 1, atol=1e-6)
    # a look ahead reads nothing
    close([predictor.step(None, memory)], [before[-1][None]])
    close(predictor.predict([text[-1]], memory), [whole[-1:]])


def test_steps_and_chunks_mix(zoo: Make) -> None:
    for name in ("stream", "tag", "value"):
        made = zoo(name, "cnn")
        (sequence,) = some(made, 1)
        (whole,) = made.predictor.predict([sequence])
        memory = made.predictor.memory(1)
        made.predictor.predict([sequence[:5]], memory)
        values = made.predictor.model.tokenizers["text"].encode(sequence) if name == "stream" else sequence
        made.predictor.step(values[5:6], memory)
        (rest,) = made.predictor.predict([sequence[6:]], memory)
        close([rest], [whole if name == "value" else whole[6:]])


def test_a_text_that_goes_on_has_no_end_yet(zoo: Make) -> None:
    predictor = zoo("lines").predictor
    assert len(predictor.predict(["abc"])[0]) == 4
    assert len(predictor.predict(["abc"], predictor.memory(1))[0]) == 3
    assert len(predictor.predict(["abc"], end=False)[0]) == 3


def test_the_caller_keeps_what_was_given(zoo: Make) -> None:
    made = zoo("tag", "lstm")
    sequences = some(made, 2)
    copies = [each.copy() for each in sequences]
    memory = made.predictor.memory(2)
    made.predictor.predict(sequences, memory)
    close(sequences, copies)
    state = [part.clone() for layer in memory.state for part in layer]
    refused(lambda: made.predictor.predict([sequences[0], sequences[1] * np.inf], memory))
    refused(lambda: made.predictor.predict([sequences[0][:3], sequences[1] * 1e300], memory))
    assert all(torch.equal(one, other) for one, other in
               zip(state, (part for layer in memory.state for part in layer), strict=True))


def test_lists_and_arrays_are_the_same(zoo: Make) -> None:
    predictor = zoo("tag").predictor
    values = np.random.default_rng(0).normal(size=(3, 6, 2))
    close(predictor.predict(values.tolist()), predictor.predict(values))
    close(predictor.predict(list(values.astype(np.float32))), predictor.predict(values.astype(np.float32)))
    assert predictor.predict([]) == []


def test_what_a_model_says_of_itself(zoo: Make) -> None:
    predictor = unroll.load(zoo("tag").model)
    assert (predictor.kind, predictor.per, predictor.ahead, predictor.levels) == ("classification", "step", 0, [])
    assert predictor.classes == sorted(CLASSES)
    assert (zoo("class").predictor.per, zoo("next").predictor.ahead) == ("sequence", 1)
    assert zoo("forecast").predictor.levels == LEVELS
    assert zoo("labels").predictor.columns == ["l1", "l2"]
    assert zoo("forecast_two").predictor.columns == ["sold", "price"]


def test_generate_is_of_language_models_alone(zoo: Make) -> None:
    assert refusal(lambda: zoo("tag").predictor.generate()) == ("unsupported", "generate")
    predictor = zoo("stream").predictor
    texts = predictor.generate(["abc", "d"], length=12, seed=3)
    assert [len(each) for each in texts] == [15, 13] and texts[0].startswith("abc")
    assert texts[0] == predictor.generate(["abc"], length=12, seed=3)[0]


def test_a_forecast_reads_the_end_of_its_series(zoo: Make) -> None:
    predictor = zoo("forecast").predictor
    series = np.random.default_rng(0).gamma(4, 2, 30)
    forecast = predictor.spec.forecast
    rows = forecast.context + forecast.season
    close(predictor.predict([series]), predictor.predict([series[-rows:]]))
    assert f"reads the last {rows}" in refused(lambda: predictor.predict([series[: rows - 1]]))


@pytest.mark.parametrize(
    ("name", "sequences", "said"),
    [
        ("tag", [np.zeros((3, 2)), np.zeros((3, 3))], "sequence 2: of shape (3, 3) where the model reads (T, 2)"),
        ("tag", [np.zeros((0, 2))], "sequence 1: of shape (0, 2)"),
        ("tag", np.zeros((2, 4)), "sequence 1: of shape (4, 1)"),
        ("tag", [np.zeros((2, 2, 2))], "sequence 1: of shape (2, 2, 2)"),
        ("tag", [[[0, 1], [2, np.nan]]], "sequence 1, step 2, number 2: missing"),
        ("tag", [[[0, 1], [-np.inf, 3]]], "sequence 1, step 2, number 1: infinite"),
        ("tag", [[[0, 1e300]]], "sequence 1: the prediction is not finite"),
        ("tag", ["abc"], "sequence 1: not an array of numbers"),
        ("tag", [[["1", "2"]]], "sequence 1: not an array of numbers"),
        ("tag", [[[1, 2], [3]]], "sequence 1: not an array of numbers"),
        ("tag", [np.zeros((3, 2), complex)], "sequence 1: not an array of numbers"),
        ("tag", [[[1, None]]], "sequence 1, step 1, number 2: missing"),
        ("tag", [np.zeros((3, 2), "datetime64[D]")], "sequence 1: not an array of numbers"),
        ("stream", "abc", "Give a list: [text]"),
        ("stream", ["abc", ""], "sequence 2: empty"),
        ("stream", [np.zeros((3, 2))], "sequence 1: numbers of shape (3, 2) where the model reads text"),
        ("stream", [np.zeros(3)], "where the model reads text"),
        ("stream", [[1, -1]], "sequence 1, step 2: symbol -1 where the model has 0 to 7"),
        ("stream", [[1, 8]], "sequence 1, step 2: symbol 8"),
        ("forecast", [np.arange(30) - 25], "sequence 1, step 20, number 1: -6 has no logarithm"),
    ],
)
def test_what_cannot_be_read_is_one_line(zoo: Make, name: str, sequences: Any, said: str) -> None:
    assert said in refused(lambda: zoo(name).predictor.predict(sequences))


def test_what_cannot_be_stepped_is_one_line(zoo: Make) -> None:
    predictor, language = zoo("tag").predictor, zoo("stream").predictor
    for values in (np.zeros((3, 2)), np.zeros(2), np.full((2, 2), np.nan), "ab"):
        assert refused(lambda values=values: predictor.step(values, predictor.memory(2))).startswith("step")
    for symbols in (np.zeros(3, int), np.zeros(2), [1, 99]):
        assert "step" in refused(lambda symbols=symbols: language.step(symbols, language.memory(2)))
    assert refusal(lambda: predictor.step(None, predictor.memory(2))) == ("missing-value", "step")


@pytest.mark.parametrize(
    ("name", "both_ways", "why"),
    [("tag", True, "reads from the end"), ("class_mean", False, "pools the mean"),
     ("text_class_attention", False, "pools the attention"), ("forecast", False, "reads windows of a series")],
)
def test_a_model_without_a_state_says_why(zoo: Make, name: str, both_ways: bool, why: str) -> None:
    predictor = zoo(name, both_ways=both_ways).predictor
    assert why in refused(lambda: predictor.memory(1))
    assert why in refused(lambda: predictor.step(np.zeros((1, 2)), Memory([], {}, np.zeros(1, np.int64))))


def test_a_memory_is_of_as_many_sequences(zoo: Make) -> None:
    predictor = zoo("tag").predictor
    assert refusal(lambda: predictor.predict(np.zeros((2, 4, 2)), predictor.memory(3))) == ("conflict", "state")


def test_a_sequence_that_memory_is_too_small_for_is_named(zoo: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = zoo("class").predictor

    def grow(*_: Any) -> None:
        np.zeros(1 << 45)

    monkeypatch.setattr(predictor._network, "forward", grow)
    refused = refusal(lambda: predictor.predict([np.zeros((9, 2)), np.zeros((4, 2))], names=["long", "short"]))
    assert refused == ("no-memory", "sequence short")


@pytest.mark.parametrize("wrong", [-1, 0, "a", 1.5])
def test_a_memory_is_of_a_number_of_sequences(zoo: Make, wrong: Any) -> None:
    assert refusal(lambda: zoo("tag").predictor.memory(wrong)) == ("out-of-range", "memory")
    assert refusal(lambda: zoo("tag").predictor.step(np.zeros((1, 2)), None)) == ("wrong-type", "state")


@pytest.mark.parametrize("seed", ["a", 1.5, None, True])
def test_a_seed_is_a_whole_number(zoo: Make, seed: Any) -> None:
    predictor = zoo("stream").predictor
    assert refusal(lambda: predictor.generate(["a"], seed)) == ("wrong-type", "seed")
    numbers = {"seed": np.int64(3), "length": np.int64(5), "temperature": np.float32(0.5)}
    assert predictor.generate(["a"], **numbers) == predictor.generate(["a"], seed=3, length=5, temperature=0.5)


def test_what_is_no_sequences_is_one_line(zoo: Make) -> None:
    for wrong in (None, 3, "text"):
        assert refusal(lambda wrong=wrong: zoo("tag").predictor.predict(wrong)) == ("wrong-type", "predict")


def test_a_model_of_two_inputs_takes_them_by_name_and_whole(tmp_path: Path) -> None:
    data, head = ZOO["class"]
    columns = {"x": ["a"], "z": ["b"], "label": ["class"]}
    _, prepared = make(tmp_path, {**data, "inputs": {"x": "real", "z": "real"}, "columns": columns})
    one = {"kind": "real", "size": None, "dropout": 0.0}
    model = ModelConfig.model_validate({"inputs": {"x": one, "z": one}, "core": core("gru"), "heads": {"label": head}})
    save_model(tmp_path / "model", build(model, prepared.spec, 0), model, prepared)
    predictor = unroll.load(tmp_path / "model")
    x, z = np.arange(3.0), np.arange(3.0) ** 2
    (found,) = predictor.predict([{"x": x, "z": z}])
    assert found.shape == (3,) and not np.allclose(found, predictor.predict([{"x": z, "z": x}])[0])
    assert refusal(lambda: predictor.predict([x])) == ("wrong-type", "sequence 1")
    assert refusal(lambda: predictor.step(x, predictor.memory(1))) == ("wrong-type", "step")


def test_a_state_is_kept_of_two_next_values_that_are_not_read_late(tmp_path: Path) -> None:
    """As models were before several fields were drawn together."""
    data, head = ZOO["next"]
    _, prepared = make(tmp_path, {**data, "inputs": {"x": "real", "z": "real"}, "columns": {"x": ["a"], "z": ["b"]},
                                  "targets": {"x": "next", "z": "next"}})
    one = {"kind": "real", "size": None, "dropout": 0.0}
    model = ModelConfig.model_validate({"inputs": {"x": one, "z": one}, "core": core("gru"), "heads": {"x": head, "z": head}})
    spec = prepared.spec
    assert spec.drawn == ["x", "z"]
    network, tokenizers = build(model, spec, 0), {}
    before = spec.model_copy(update={
        "inputs": {name: field.model_copy(update={"begin": None}) for name, field in spec.inputs.items()},
        "targets": {name: target.model_copy(update={"ahead": 1}) for name, target in spec.targets.items()}})
    predictor = Predictor(Model(network, model, before, tokenizers, ""))
    x, z, memory = np.arange(5.0), np.arange(5.0) ** 2, predictor.memory(1)
    whole = predictor.predict([{"x": x, "z": z}])
    parts = [predictor.predict([{"x": x[part], "z": z[part]}], memory) for part in (slice(0, 2), slice(2, 5))]
    for name in "xz":
        close([np.concatenate([part[name][0] for part in parts])], whole[name])


def test_no_state_is_kept_where_a_line_leads_to_what_comes_later(tmp_path: Path) -> None:
    data, head = ZOO["values"]
    _, prepared = make(tmp_path, {**data, "missing": "interpolate"})
    predictor = save_random(prepared, tmp_path / "model", head, core("gru"), 0)
    assert np.isfinite(predictor.predict([np.array([[0, 1], [np.nan, 1], [2, 1]])])[0]).all()
    memory = Memory([], {}, np.zeros(1, np.int64))
    for ask in (lambda: predictor.memory(1), lambda: predictor.predict(np.zeros((1, 2, 2)), memory),
                lambda: predictor.step(np.zeros((1, 2)), memory)):
        assert refusal(ask) == ("unsupported", "state")
