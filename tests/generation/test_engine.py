"""Both engines against the network that they step: every core, unequal prompts, any batch."""

import numpy as np
import pytest
import torch

from tests.models.conftest import CORES, random_network, random_tokens, small
from unroll.generation import torch_engine
from unroll.generation.engine import OnnxEngine
from unroll.generation.held import Held
from unroll.generation.one_field import OneField
from unroll.generation.torch_engine import CAPTURE_AFTER, TorchEngine
from unroll.models.onnx.step import step_graph

ENGINES = {
    "onnx": lambda network: OneField(OnnxEngine(step_graph(network))),
    "torch": lambda network: OneField(TorchEngine(network)),
}


def ones(lanes):
    return np.ones(lanes, np.int32)


@pytest.mark.parametrize("embedding", [5, 6])       # with a projection before tied weights, and without one
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize(("engine", "core"), [(engine, core) for engine in ENGINES for core in CORES
                                              if engine == "torch" or core != "grud"])      # which has no step graph
def test_it_says_what_the_network_says(engine, core, tied, embedding):
    network = random_network(small(core, embedding, layers=2, tied=tied, dropout=(0.1, 0.2, 0.3)), scale=0.2).float().eval()
    made, tokens = ENGINES[engine](network), random_tokens(30, 3)["text"]
    with torch.inference_mode():
        whole = network({"text": tokens})[0]["text"].numpy()
    lengths = np.array([7, 1, 12], np.int32)
    logits, state = made.read(tokens.numpy()[:12], lengths, made.start(3))
    np.testing.assert_allclose(logits, whole[lengths - 1, range(3)], rtol=0, atol=1e-5)
    for more in range(15):
        logits, state = made.read(tokens.numpy()[lengths + more, range(3)][None], ones(3), state)
        np.testing.assert_allclose(logits, whole[lengths + more, range(3)], rtol=0, atol=1e-5)


@pytest.mark.parametrize("cell", ["rnn-tanh", "lstm", "gru"])
@pytest.mark.parametrize("engine", ENGINES)
def test_a_thousand_steps_and_a_hundred_lanes_on_they_still_agree(engine, cell):
    network = random_network(small(cell, 12, hidden=24, layers=2), scale=0.2).float().eval()
    made, tokens = ENGINES[engine](network), random_tokens(1000, 100)["text"]
    with torch.inference_mode():
        whole = network({"text": tokens})[0]["text"].numpy()
    state = made.start(100)
    for step, symbols in enumerate(tokens.numpy()):
        logits, state = made.read(symbols[None], ones(100), state)
        if step % 100 == 99:
            np.testing.assert_allclose(logits, whole[step], rtol=0, atol=1e-5)


@pytest.mark.parametrize("core", ["lstm", "gru", "cnn"])
@pytest.mark.parametrize("engine", ENGINES)
def test_states_are_taken_and_joined_lane_by_lane(engine, core):
    made = ENGINES[engine](random_network(small(core, layers=2)).float().eval())
    tokens = random_tokens(9, 4)["text"].numpy()
    together = made.read(tokens, np.array([9, 4, 6, 2], np.int32), made.start(4))[1]
    again = np.array([[1, 2, 3]])
    expected, _ = made.read(again, ones(3), made.take(together, np.array([3, 0, 3])))
    alone = [made.read(tokens[:length, lane : lane + 1], np.array([length], np.int32), made.start(1))[1]
             for lane, length in ((3, 2), (0, 9), (3, 2))]
    said, _ = made.read(again, ones(3), made.join(alone))
    np.testing.assert_allclose(said, expected, rtol=0, atol=1e-6)


def test_the_same_network_is_the_same_file():
    config = small("gru", layers=2, tied=True)
    assert step_graph(random_network(config).float()) == step_graph(random_network(config).float())
    assert step_graph(random_network(config).float()) != step_graph(random_network(config, seed=1).float())


def test_a_tied_embedding_is_there_once():
    sizes = [len(step_graph(random_network(small("lstm", 64, hidden=64, tied=tied)).float())) for tied in (True, False)]
    assert sizes[1] - sizes[0] > 4 * 11 * 64 - 200


def test_a_step_is_captured_once_and_again_for_fewer_lanes(monkeypatch):
    """On the CPU, with a stand-in for the CUDA graph."""
    network = random_network(small("gru", 5), scale=0.2).float().eval()
    captures, replays = [], []

    class Graph:
        def __init__(self, network, heads, values, state):
            self.lanes = len(values["text"])
            captures.append(self.lanes)

        def step(self, values, state):
            replays.append(len(values["text"]))
            with torch.inference_mode():
                outputs, layers = network.step({"text": torch.from_numpy(values["text"])}, state.layers)
            return {"text": outputs["text"].numpy()}, Held(layers, self)

    monkeypatch.setattr(torch_engine, "Captured", Graph)
    tokens = random_tokens(60, 3)["text"]
    with torch.inference_mode():
        whole = network({"text": tokens})[0]["text"].numpy()
    stepped = TorchEngine(network)
    stepped._capture = True
    engine = OneField(stepped)
    state = engine.start(3)
    for step, symbols in enumerate(tokens.numpy()):
        lanes = [0, 1, 2] if step < 30 else [0, 2]
        if step == 30:
            state = engine.take(state, np.array(lanes))
        logits, state = engine.read(symbols[None, lanes], ones(len(lanes)), state)
        np.testing.assert_allclose(logits, whole[step, lanes], rtol=0, atol=1e-5)
    assert captures == [3, 2]
    assert replays == [3] * (30 - CAPTURE_AFTER) + [2] * (30 - CAPTURE_AFTER)
