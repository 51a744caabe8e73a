"""Cores without recurrence: how far back they look, and what they make of it."""

import pytest
import torch

from tests.models.conftest import SPEC, random_network, random_tokens, small
from tests.specs import changed
from unroll.base.errors import UserError
from unroll.config.model import ModelConfig
from unroll.data.spec import Spec
from unroll.models.network import Network, build


def altered(name: str, spec: Spec = SPEC, **core) -> Network:
    config = small(name)
    return random_network(config.model_copy(update={"core": config.core.model_copy(update=core)}), spec=spec)


def looks_back(network: Network, steps: int = 40) -> list[int]:
    """How many steps back each step lies that the last output depends on."""
    x = network.embed(random_tokens(steps, 1)).detach().requires_grad_()
    # the sum of absolute slopes: where relu is at rest, another weight is not
    for layer in network.core.layers:
        torch.nn.init.uniform_(layer.weight, 0.1, 0.2)
        torch.nn.init.constant_(layer.bias, 10.0)
    outputs, _ = network.read(x)
    (gradient,) = torch.autograd.grad(outputs["text"][-1].sum(), x)
    return [steps - 1 - t for t in range(steps) if gradient[t].abs().sum() > 0]


@pytest.mark.parametrize(("window", "layers"), [(1, 1), (4, 1), (4, 3)])
def test_a_perceptron_sees_its_window_whatever_its_depth(window, layers):
    assert looks_back(altered("mlp", window=window, num_layers=layers)) == [*reversed(range(window))]


def test_a_perceptrons_window_is_the_longest_training_sequence_unless_said():
    network = altered("mlp", changed(SPEC, layout="items", longest=9), window=None)
    assert looks_back(network) == [*reversed(range(9))]


@pytest.mark.parametrize(("kernel", "layers"), [(2, 1), (3, 1), (2, 4), (3, 3)])
def test_each_convolution_looks_back_twice_as_far(kernel, layers):
    reach = (kernel - 1) * (2**layers - 1)
    network = altered("cnn", kernel_size=kernel, num_layers=layers)
    assert [layer.before for layer in network.core.layers] == [(kernel - 1) * 2**depth for depth in range(layers)]
    assert looks_back(network) == [*reversed(range(reach + 1))]


def test_a_perceptron_is_its_equations():
    """h_t = relu(W [x_{t-2} x_{t-1} x_t] + b), relu of a layer on that, zeros before the first step."""
    network = altered("mlp", num_layers=2)
    x = network.embed(random_tokens(5, 2))
    found, _ = network.core(x, network.start(2))
    first, second = network.core.layers
    padded = torch.cat([x.new_zeros(2, 2, 5), x])
    for t in range(5):
        seen = torch.cat([padded[t], padded[t + 1], padded[t + 2]], dim=-1)                 # (B, 3·E)
        matrix = first.weight.permute(0, 2, 1).flatten(1)                                   # (H, 3·E)
        h = (seen @ matrix.T + first.bias).relu()
        h = (h @ second.weight[:, :, 0].T + second.bias).relu()
        torch.testing.assert_close(found[t], h, rtol=0, atol=1e-12)


def test_a_convolution_is_its_equations():
    """h_t = relu(b + W_0 x_{t-2d} + W_1 x_{t-d} + W_2 x_t), d = 1 and then 2."""
    network = altered("cnn", num_layers=2)
    x = network.embed(random_tokens(7, 2))
    found, _ = network.core(x, network.start(2))
    for layer, d in zip(network.core.layers, (1, 2), strict=True):
        padded = torch.cat([x.new_zeros(2 * d, *x.shape[1:]), x])
        terms = (padded[k * d : k * d + 7] @ layer.weight[:, :, k].T for k in range(3))
        x = (sum(terms) + layer.bias).relu()
    torch.testing.assert_close(found, x, rtol=0, atol=1e-12)


def test_a_window_of_a_stream_must_be_said():
    config = ModelConfig.model_validate(small("mlp").model_dump() | {
        "core": {"kind": "mlp", "hidden_size": 4, "num_layers": 1, "dropout": 0.0, "window": None}})
    with pytest.raises(UserError) as caught:
        build(config, SPEC, seed=0)
    assert (caught.value.code, caught.value.where) == ("missing-value", "model.core.window")
    build(config, changed(SPEC, layout="items"), seed=0)


def test_a_stream_is_not_read_from_its_end():
    described = small("gru").model_dump()
    described["core"]["bidirectional"] = True
    config = ModelConfig.model_validate(described)
    with pytest.raises(UserError) as caught:
        build(config, SPEC, seed=0)
    assert (caught.value.code, caught.value.where) == ("conflict", "model.core.bidirectional")
    build(config, changed(SPEC, layout="items"), seed=0)
