"""Every cell against its published equations, written out in NumPy with a matrix for each gate."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from tests.models.conftest import CELLS, FUSED, random_network, random_tokens, small
from unroll.models.cells._kernel import KernelCell
from unroll.models.cells.rnn import NONLINEARITIES

Vector = np.ndarray


def sigmoid(z: Vector) -> Vector:
    return 1 / (1 + np.exp(-z))


FUNCTIONS: dict[str, Callable[[Vector], Vector]] = {
    "tanh": np.tanh,
    "relu": lambda z: np.maximum(z, 0),
    "sigmoid": sigmoid,
    "identity": lambda z: z,
}


def rnn(W, U, b, _, f, x, h):
    h = f(U["h"] @ h + W["h"] @ x + b["h"])
    return h, (h,)


def lstm(W, U, b, _, f, x, h, c):
    i = sigmoid(W["i"] @ x + U["i"] @ h + b["i"])
    forget = sigmoid(W["f"] @ x + U["f"] @ h + b["f"])
    g = np.tanh(W["g"] @ x + U["g"] @ h + b["g"])
    o = sigmoid(W["o"] @ x + U["o"] @ h + b["o"])
    c = forget * c + i * g
    h = o * np.tanh(c)
    return h, (h, c)


def gru(W, U, b, inner, f, x, h):
    r = sigmoid(W["r"] @ x + U["r"] @ h + b["r"] + inner["r"])
    z = sigmoid(W["z"] @ x + U["z"] @ h + b["z"] + inner["z"])
    n = np.tanh(W["n"] @ x + b["n"] + r * (U["n"] @ h + inner["n"]))
    h = (1 - z) * n + z * h
    return h, (h,)


def by_hand(cell: str, layer: KernelCell, x: Vector, state: list[Vector]) -> tuple[Vector, list[Vector]]:
    """One lane at a time, x (T, B, E)."""
    kind, _, nonlinearity = cell.partition("-")
    names = layer.blocks
    gates = [dict(zip(names, np.split(each.detach().numpy(), len(names)), strict=True)) for each in layer.weights]
    step = {"rnn": rnn, "lstm": lstm, "gru": gru}[kind]
    outputs = np.empty((*x.shape[:2], layer.size))
    after = [each.copy() for each in state]
    for lane in range(x.shape[1]):
        now = tuple(each[lane] for each in state)
        for t in range(len(x)):
            outputs[t, lane], now = step(*gates, FUNCTIONS.get(nonlinearity), x[t, lane], *now)
        for each, last in zip(after, now, strict=True):
            each[lane] = last
    return outputs, after


def layer_and_data(cell: str) -> tuple[KernelCell, torch.Tensor, tuple[torch.Tensor, ...]]:
    (layer,) = random_network(small(cell)).core.layers
    draw = torch.Generator().manual_seed(1)
    x = torch.randn(7, 3, 5, generator=draw, dtype=torch.float64)
    state = tuple(torch.randn(each.shape, generator=draw, dtype=torch.float64) for each in layer.start(3))
    return layer, x, state


@pytest.mark.parametrize("cell", CELLS)
def test_a_layer_is_its_published_equations(cell):
    layer, x, state = layer_and_data(cell)
    with torch.no_grad():
        outputs, after = layer(x, state)
    expected, expected_after = by_hand(cell, layer, x.numpy(), [each.numpy() for each in state])
    np.testing.assert_allclose(outputs, expected, rtol=0, atol=1e-12)
    assert len(after) == len(expected_after)
    for each, by in zip(after, expected_after, strict=True):
        np.testing.assert_allclose(each, by, rtol=0, atol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_a_step_is_its_published_equations(cell):
    layer, x, state = layer_and_data(cell)
    with torch.no_grad():
        y, after = layer.step(x[0], state)
    assert torch.equal(y, after[0])
    _, expected = by_hand(cell, layer, x[:1].numpy(), [each.numpy() for each in state])
    for each, by in zip(after, expected, strict=True):
        np.testing.assert_allclose(each, by, rtol=0, atol=1e-12)


@pytest.mark.parametrize("cell", FUSED)
def test_the_fused_kernel_is_the_cell_stepped(cell):
    layer, x, state = layer_and_data(cell)
    outputs, after = layer(x, state)
    stepped, stepped_after = layer.unrolled(x, state)
    assert layer.fused
    torch.testing.assert_close(outputs, stepped, rtol=0, atol=1e-12)
    torch.testing.assert_close(after, stepped_after, rtol=0, atol=1e-12)


@pytest.mark.parametrize("cell", FUSED)
def test_the_fused_kernels_gradients_are_those_of_the_cell_stepped(cell):
    layer, x, state = layer_and_data(cell)
    trained = [each for each in layer.parameters() if each.requires_grad]
    fused = torch.autograd.grad(layer(x, state)[0].square().sum(), trained)
    stepped = torch.autograd.grad(layer.unrolled(x, state)[0].square().sum(), trained)
    torch.testing.assert_close(fused, stepped, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_the_plain_network_is_two_equations(name):
    """h_t = f(W_hh h_{t-1} + W_xh x_t + b_h), y_t = W_hy h_t + b_y, from zeros."""
    network = random_network(small(f"rnn-{name}"))
    weights = {key: each.numpy() for key, each in network.state_dict().items()}
    x, W_hy, b_y = (weights[key] for key in ("inputs.text.embedding.weight", "heads.text.weight", "heads.text.bias"))
    W_xh, W_hh, b_h = (weights[f"core.layers.0.kernel.{key}_l0"] for key in ("weight_ih", "weight_hh", "bias_ih"))
    tokens = random_tokens(6, 1)
    with torch.no_grad():
        outputs, ((h_last,),) = network(tokens)
    h = np.zeros(6)
    for t, token in enumerate(tokens["text"][:, 0]):
        h = FUNCTIONS[name](W_hh @ h + W_xh @ x[token] + b_h)
        np.testing.assert_allclose(outputs["text"][t, 0], W_hy @ h + b_y, rtol=0, atol=1e-12)
    np.testing.assert_allclose(h_last[0], h, rtol=0, atol=1e-12)


def test_every_nonlinearity_is_its_function():
    z = torch.linspace(-3, 3, 13, dtype=torch.float64)
    assert set(NONLINEARITIES) == set(FUNCTIONS)
    for name, function in NONLINEARITIES.items():
        np.testing.assert_allclose(function(z), FUNCTIONS[name](z.numpy()), rtol=0, atol=1e-15)
