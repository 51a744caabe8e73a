"""How far a gradient reaches, where it is known exactly."""

import numpy as np
import pytest
import torch

from tests.models.conftest import CELLS, SPEC, random_network, random_tokens, small
from unroll.explain.gradients import compare, gradient_reach, steps_above
from unroll.models.network import Network, build


def linear_network(gain: float, layers: int = 1) -> Network:
    """h_t = gain · Q h_{t-1} + x_t with Q orthogonal: a gradient changes its size by `gain` at every step back."""
    network = build(small("rnn-identity", embedding=6, layers=layers), SPEC, seed=0).double()
    with torch.no_grad():
        for layer in network.core.layers:
            rotation, _ = torch.linalg.qr(layer.weights.hh)
            layer.weights.hh.copy_(gain * rotation)
            layer.weights.ih.copy_(torch.eye(6))
    return network


@pytest.mark.parametrize("gain", [0.5, 0.9, 1.0, 1.1])
def test_a_linear_recurrence_sends_its_gain_to_the_power_of_the_steps(gain):
    reach = gradient_reach(linear_network(gain), random_tokens(20, 3), random_tokens(20, 3, seed=1))
    np.testing.assert_allclose(reach, gain ** np.arange(20), rtol=1e-9)


def test_a_gradient_reaches_through_every_layer():
    """Two linear layers have k + 1 paths of one length, each of gain^k; only their directions differ."""
    reach = gradient_reach(linear_network(0.9, layers=2), random_tokens(12, 3), random_tokens(12, 3, seed=1))
    steps = np.arange(12)
    assert reach[0] == 1
    assert (reach <= (steps + 1) * 0.9**steps + 1e-9).all()
    assert reach[1:].max() > 1


@pytest.mark.parametrize("cell", CELLS)
def test_the_reach_is_that_of_a_changed_input(cell):
    """Central differences of the last step's loss."""
    network = random_network(small(cell))
    inputs, targets = random_tokens(4, 1), random_tokens(4, 1, seed=1)
    x = network.embed(inputs).detach()

    def loss(moved: torch.Tensor) -> float:
        logits = network.read(moved)[0]["text"].detach()
        return -float(logits[-1, 0].log_softmax(dim=-1)[targets["text"][-1, 0]])

    norms = []
    for t in reversed(range(4)):
        slopes = []
        for feature in range(5):
            step = torch.zeros_like(x)
            step[t, 0, feature] = 1e-5
            slopes.append((loss(x + step) - loss(x - step)) / 2e-5)
        norms.append(np.linalg.norm(slopes))
    reach = gradient_reach(network, inputs, targets)
    np.testing.assert_allclose(reach, np.array(norms) / norms[0], rtol=1e-5)


def test_no_gradient_is_left_in_the_network():
    network = linear_network(0.9)
    gradient_reach(network, random_tokens(5, 2), random_tokens(5, 2))
    assert all(each.grad is None for each in network.parameters())


def test_the_trained_network_stands_beside_fresh_ones():
    network = random_network(small("lstm", layers=2)).float()
    before = {name: each.clone() for name, each in network.state_dict().items()}
    inputs, targets = random_tokens(40, 2), random_tokens(40, 2, seed=1)
    curves = compare(network, small("lstm", layers=2), SPEC, inputs, targets, seed=1)
    shrinks, grows = "linear RNN, spectral radius 0.9", "linear RNN, spectral radius 1.1"
    assert list(curves) == ["trained LSTM", "fresh RNN", "fresh LSTM", "fresh GRU", shrinks, grows]
    np.testing.assert_array_equal(curves["trained LSTM"], gradient_reach(network, inputs, targets))
    assert all(each.shape == (40,) and each[0] == 1 for each in curves.values())
    assert curves[shrinks][-1] < 1 < curves[grows][-1]
    assert all(torch.equal(each, before[name]) for name, each in network.state_dict().items())


def test_a_comparison_is_the_same_twice():
    arguments = small("gru"), SPEC, random_tokens(9, 2), random_tokens(9, 2, seed=1)
    first, again, other = (compare(random_network(small("gru")).float(), *arguments, seed) for seed in (1, 1, 2))
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not np.array_equal(first["fresh GRU"], other["fresh GRU"])


@pytest.mark.parametrize(
    ("reach", "steps"),
    [([1, 0.5, 0.02, 0.005, 0.5], 3), ([1, 0.5], 2), ([1, 0.01, 0.009], 2), ([1, 0.0], 1), ([1, 2, 4], 3)],
)
def test_steps_above_end_at_the_first_below(reach, steps):
    assert steps_above(np.array(reach)) == steps
