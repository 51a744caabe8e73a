"""Texts beside what stands for the whole of each: both engines against the network, in every way to join it."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from tests.models.conftest import SIZE, core, random_network
from tests.specs import make_spec
from unroll.base.errors import UserError
from unroll.config.model import ModelConfig
from unroll.config.sampling import sampling
from unroll.data.tokenizers import char
from unroll.generation import loop
from unroll.generation.engine import OnnxEngine
from unroll.generation.engines import engine_of
from unroll.generation.one_field import OneField
from unroll.generation.text import Generator
from unroll.generation.torch_engine import TorchEngine
from unroll.models.network import Network
from unroll.models.onnx.start import start_graph
from unroll.models.onnx.step import step_graph

SPEC = make_spec(
    {"text": {"kind": "tokens", "size": SIZE, "begin": 0},
     "age": {"kind": "real", "size": 2, "per": "sequence", "scale": {"mean": (0.0, 0.0), "deviation": (1.0, 1.0)}},
     "pace": {"kind": "real", "size": 1, "scale": {"mean": (0.0,), "deviation": (1.0,)}},
     "ward": {"kind": "categories", "size": 5, "width": 2, "per": "sequence", "categories": (("a", "b"), ("c",))}},
    {"text": {"kind": "classes", "per": "step", "of": "text", "size": SIZE}},
)
ENGINES = {"onnx": lambda made: OnnxEngine(step_graph(made), start=start_graph(made)), "torch": TorchEngine}
JOINS = [("steps", "steps"), ("start", "steps"), ("start", "start")]


def network(cell: str, joins: tuple[str, str], tied: bool = False) -> Network:
    config = ModelConfig.model_validate({
        "inputs": {"age": {"kind": "static", "size": 3, "dropout": 0.0, "joins": joins[0]},
                   "pace": {"kind": "real", "size": None, "dropout": 0.0},
                   "text": {"kind": "embedding", "size": 5, "dropout": 0.0},
                   "ward": {"kind": "static_category", "size": 2, "dropout": 0.0, "joins": joins[1]}},
        "core": core(cell, layers=2), "heads": {"text": {"kind": "next_token", "dropout": 0.0, "tied": tied}},
    })
    return random_network(config, spec=SPEC, scale=0.3).float().eval()


def contexts(lanes: int, steps: int = 40) -> list[dict[str, np.ndarray]]:
    draw = np.random.default_rng(1)
    return [{"age": draw.standard_normal(2).astype(np.float32), "ward": draw.integers(0, [3, 2]) + np.array([0, 3]),
             "pace": draw.standard_normal((steps, 1)).astype(np.float32)} for _ in range(lanes)]


def whole(made: Network, tokens: np.ndarray, given: list[dict[str, np.ndarray]]) -> np.ndarray:
    """(T, B, V) by the network, which reads all of it at once."""
    inputs = {name: torch.from_numpy(np.stack([values[name] for values in given])) for name in ("age", "ward")}
    pace = torch.from_numpy(np.stack([values["pace"][: len(tokens)] for values in given], axis=1))
    with torch.inference_mode():
        return made({**inputs, "text": torch.from_numpy(tokens), "pace": pace})[0]["text"].numpy()


@pytest.mark.parametrize("joins", JOINS)
@pytest.mark.parametrize("cell", ["rnn-tanh", "lstm", "gru", "cnn", "mlp"])
@pytest.mark.parametrize("engine", ENGINES)
def test_unequal_prompts_and_steps_after_them_are_the_network_s(engine, cell, joins):
    made, given = network(cell, joins), contexts(3)
    tokens = np.random.default_rng(2).integers(0, SIZE, (30, 3))
    expected, lengths = whole(made, tokens, given), np.array([7, 1, 12], np.int32)
    reader = OneField(ENGINES[engine](made), given)
    logits, state = reader.read(tokens[:12], lengths, reader.start(3))
    np.testing.assert_allclose(logits, expected[lengths - 1, range(3)], rtol=0, atol=1e-5)
    for more in range(10):
        logits, state = reader.read(tokens[lengths + more, range(3)][None], np.ones(3, np.int32), state)
        np.testing.assert_allclose(logits, expected[lengths + more, range(3)], rtol=0, atol=1e-5)


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_taken_and_joined_keeps_its_own(engine):
    made, given = network("gru", ("start", "steps")), contexts(3)
    tokens = np.random.default_rng(2).integers(0, SIZE, (30, 3))
    reader = OneField(ENGINES[engine](made), given)
    _, state = reader.read(tokens[:5], np.array([5, 5, 5], np.int32), reader.start(3))
    lanes = np.array([2, 0, 2])
    both = reader.join([reader.take(state, lanes[:1]), reader.take(state, lanes[1:])])
    logits, _ = reader.read(tokens[5, lanes][None], np.ones(3, np.int32), both)
    np.testing.assert_allclose(logits, whole(made, tokens, given)[5, lanes], rtol=0, atol=1e-5)


def test_long_prompts_are_read_one_by_one_each_with_its_own(monkeypatch):
    monkeypatch.setattr(loop, "STRETCH", 4)
    made, given = network("lstm", ("start", "steps")), contexts(2)
    tokens = np.random.default_rng(2).integers(0, SIZE, (9, 2))
    logits, _ = loop.prime(OneField(ENGINES["onnx"](made), given), [tokens[:9, 0], tokens[:6, 1]])
    np.testing.assert_allclose(logits, whole(made, tokens, given)[[8, 5], [0, 1]], rtol=0, atol=1e-5)


def generator(engine: str, joins: tuple[str, str] = ("start", "steps")) -> Generator:
    return Generator(ENGINES[engine](network("gru", joins)), char.Fitted("abcdefghij"[: SIZE - 1], items=False))


def log_likelihood(made: Network, symbols: list[int], given: dict[str, np.ndarray]) -> float:
    tokens = np.array([0, *symbols])[:, None]
    logits = torch.from_numpy(whole(made, tokens[:-1], [given]))[:, 0]
    return float(logits.log_softmax(-1)[range(len(symbols)), symbols].sum())


@pytest.mark.parametrize("settings", [{}, {"beams": 4, "temperature": 1.0}])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_sample_s_probabilities_are_those_beside_what_it_was_given(engine, settings):
    made, given = generator(engine), contexts(3)
    samples = list(made.samples(["", "ab", "c"], sampling(length=8, **settings), 1, with_nats=True, given=given))
    beside = [values for values in given for _ in range(len(samples) // 3)]
    for sample, values in zip(samples, beside, strict=True):
        prompt, judge = made.tokenizer.encode(sample.prompt).tolist(), network("gru", ("start", "steps"))
        before = log_likelihood(judge, prompt, values) if prompt else 0.0
        expected = log_likelihood(judge, [*prompt, *sample.symbols], values) - before
        assert sum(sample.nats or []) == pytest.approx(expected, abs=1e-4)


def test_a_sample_does_not_depend_on_the_lanes_beside_it_and_streams_alike():
    made, given = generator("onnx"), contexts(5)
    rules = sampling(length=12)
    together = [sample.text for sample in made.samples([""] * 5, rules, 1, given=given)]
    apart = [sample.text for sample in made.samples([""] * 5, rules, 1, given=given, lanes=2)]
    streamed = ["".join(made.stream("", rules, 1, number, given=values)) for number, values in enumerate(given)]
    assert together == apart == streamed
    assert any(one != other for one, other in pairwise(together))


def test_what_is_missing_is_named():
    with pytest.raises(UserError) as caught:
        list(generator("onnx").samples([""], sampling(length=3), 1, given=[{"age": np.zeros(2, np.float32)}]))
    assert (caught.value.code, caught.value.where) == ("missing-value", "given")


def test_no_more_is_drawn_than_steps_are_given():
    given = contexts(1, steps=6)
    texts = [sample.text for sample in generator("onnx").samples(["ab"], sampling(length=4), 1, given=given)]
    assert len(texts[0]) == 4
    with pytest.raises(UserError) as caught:
        list(generator("onnx").samples(["ab"], sampling(length=5), 1, given=given))
    assert (caught.value.code, caught.value.where) == ("too-short", "given, pace")


QUESTION = make_spec(
    {"text": {"kind": "tokens", "size": SIZE, "begin": 0},
     "lengths": {"kind": "real", "size": 1, "per": "sequence", "scale": {"mean": (0.0,), "deviation": (1.0,)}},
     "static": {"kind": "real", "size": 2, "per": "own", "longest": 6, "scale": {"mean": (0.0, 0.0), "deviation": (1.0, 1.0)}},
     "question": {"kind": "tokens", "size": 4, "per": "own", "longest": 6}},
    {"text": {"kind": "classes", "per": "step", "of": "text", "size": SIZE}},
)


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "attention"])
@pytest.mark.parametrize("cell", ["rnn-relu", "lstm", "gru", "cnn", None])
@pytest.mark.parametrize("engine", ENGINES)
def test_another_text_is_read_to_its_own_end(engine, cell, pooling):
    config = ModelConfig.model_validate({
        "inputs": {"lengths": {"kind": "static", "size": None, "dropout": 0.0, "joins": "steps"},
                   "static": {"kind": "context_series", "size": None, "core": None, "dropout": 0.0, "joins": "steps",
                            "pooling": "mean"},
                   "question": {"kind": "context_text", "size": 3, "core": cell and core(cell, layers=2), "dropout": 0.0,
                                "joins": "start", "pooling": pooling},
                   "text": {"kind": "embedding", "size": 5, "dropout": 0.0}},
        "core": core("lstm"), "heads": {"text": {"kind": "next_token", "dropout": 0.0, "tied": False}},
    })
    made = random_network(config, spec=QUESTION, scale=0.3).float().eval()
    assert made.has_onnx
    draw = np.random.default_rng(3)
    given = [{"question": draw.integers(0, 4, length), "static": draw.standard_normal((6 - length, 2)).astype(np.float32),
              "lengths": draw.standard_normal(1).astype(np.float32)}
             for length in (5, 0, 2)]
    tokens = draw.integers(0, SIZE, (6, 3))
    reader = OneField(ENGINES[engine](made), given)
    logits, state = reader.read(tokens[:4], np.full(3, 4, np.int32), reader.start(3))
    logits, _ = reader.read(tokens[4:5], np.ones(3, np.int32), state)
    for lane, values in enumerate(given):
        asked = values["question"] if len(values["question"]) else np.array([3])       # an only step of padding
        alone = {"question": torch.from_numpy(asked)[:, None], "text": torch.from_numpy(tokens[:5, lane])[:, None],
                 "question.lengths": torch.tensor([len(values["question"])]), "static": torch.from_numpy(values["static"])[:, None],
                 "static.lengths": torch.tensor([len(values["static"])]), "lengths": torch.from_numpy(values["lengths"])[None]}
        with torch.inference_mode():
            np.testing.assert_allclose(logits[lane], made(alone)[0]["text"][-1, 0], rtol=0, atol=1e-5)


def test_a_context_that_is_read_from_its_end_too_is_stepped_by_torch():
    both = {**core("gru"), "bidirectional": True}
    config = ModelConfig.model_validate({
        "inputs": {"question": {"kind": "context_text", "size": 3, "core": both, "dropout": 0.0, "joins": "start",
                                "pooling": "last"},
                   "text": {"kind": "embedding", "size": 5, "dropout": 0.0}},
        "core": core("lstm"), "heads": {"text": {"kind": "next_token", "dropout": 0.0, "tied": False}},
    })
    assert isinstance(engine_of(random_network(config, spec=QUESTION).float().eval()), TorchEngine)


def test_equal_networks_give_equal_start_files():
    assert start_graph(network("gru", JOINS[1])) == start_graph(network("gru", JOINS[1]))
