"""Layers of one cell: time, lanes, depth, and how the weights begin."""

import pytest
import torch

from tests.models.conftest import CELLS, SPEC, random_network, random_tokens, small
from unroll.models.core import GATES, Layer
from unroll.models.network import build


def layers(cell: str, **changes) -> list[Layer]:
    return list(build(small(cell, **changes), SPEC, seed=3).core.layers)


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_a_sequence_in_chunks_is_the_whole_sequence(cell, depth):
    network = random_network(small(cell, layers=depth))
    tokens = random_tokens(12, 3)["text"]
    whole, after_whole = network({"text": tokens})
    state, parts = None, []
    for chunk in tokens.split([5, 1, 4, 2]):
        outputs, state = network({"text": chunk}, state)
        parts.append(outputs["text"])
    torch.testing.assert_close(torch.cat(parts), whole["text"], rtol=0, atol=1e-12)
    torch.testing.assert_close(state, after_whole, rtol=0, atol=1e-12)
    assert len(state) == depth


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_symbol_by_symbol_is_the_whole_sequence(cell, depth):
    network = random_network(small(cell, layers=depth))
    tokens = random_tokens(6, 2)["text"]
    whole, after_whole = network({"text": tokens})
    state = network.start(2)
    for t, symbols in enumerate(tokens):
        outputs, state = network.step({"text": symbols}, state)
        torch.testing.assert_close(outputs["text"], whole["text"][t], rtol=0, atol=1e-12)
    torch.testing.assert_close(state, after_whole, rtol=0, atol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_lanes_know_nothing_of_each_other(cell):
    network = random_network(small(cell, layers=2))
    tokens, others = random_tokens(6, 3)["text"], random_tokens(6, 3, seed=1)["text"]
    others[:, 1] = tokens[:, 1]
    outputs, alone = (network({"text": each})[0]["text"] for each in (tokens, tokens[:, 1:2]))
    torch.testing.assert_close(outputs[:, 1:2], alone, rtol=0, atol=1e-12)
    beside, _ = network({"text": others})
    torch.testing.assert_close(outputs[:, 1], beside["text"][:, 1], rtol=0, atol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_a_state_starts_at_zero(cell):
    (first, second) = random_network(small(cell, layers=2)).start(4)
    assert len(first) == len(second) == (2 if cell == "lstm" else 1)
    assert all(each.shape == (4, 6) and not each.any() for each in (*first, *second))


@pytest.mark.parametrize("cell", ["rnn-tanh", "lstm", "gru"])
def test_every_gates_recurrence_starts_orthogonal(cell):
    for layer in layers(cell, layers=2):
        gates = layer.weights.hh.chunk(len(GATES[layer.config.kind]))
        for gate in gates:
            torch.testing.assert_close(gate @ gate.T, torch.eye(6), rtol=0, atol=1e-5)
        assert len({tuple(gate.flatten().tolist()) for gate in gates}) == len(gates)


@pytest.mark.parametrize("cell", ["rnn-tanh", "lstm", "gru"])
def test_every_gates_input_starts_within_its_own_glorot_bound(cell):
    """A bound over the stacked gates would be narrower."""
    bound = (6 / (40 + 30)) ** 0.5
    (layer,) = layers(cell, embedding=40, hidden=30)
    for gate in layer.weights.ih.chunk(len(GATES[layer.config.kind])):
        assert 0.97 * bound < gate.abs().max() <= bound


@pytest.mark.parametrize("cell", ["rnn-tanh", "lstm", "gru"])
def test_the_uniform_start_stays_within_pytorchs_bound(cell):
    weights = layers(cell, hidden=16, init="uniform")[0].weights
    for each in (weights.ih, weights.hh):
        assert 0.9 * 16**-0.5 < each.abs().max() <= 16**-0.5


@pytest.mark.parametrize("init", ["orthogonal", "uniform"])
def test_the_forget_gates_bias_starts_where_it_is_set(init):
    for layer in layers("lstm", layers=2, init=init):
        i, f, g, o = layer.weights.bias_ih.chunk(4)
        assert (f == 1.0).all()
        assert all(bool(each.any()) == (init == "uniform") for each in (i, g, o))
        assert not layer.weights.bias_hh.any()


@pytest.mark.parametrize("cell", CELLS)
def test_only_the_gru_trains_a_second_bias(cell):
    network = build(small(cell, layers=2), SPEC, seed=0)
    optimizer = torch.optim.SGD([each for each in network.parameters() if each.requires_grad], lr=1.0)
    outputs, _ = network(random_tokens(4, 2))
    outputs["text"].square().sum().backward()
    optimizer.step()
    for layer in network.core.layers:
        assert layer.weights.bias_hh.requires_grad == bool(layer.weights.bias_hh.any()) == (cell == "gru")
        assert layer.weights.bias_ih.any()
