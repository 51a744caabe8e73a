"""How far back a gradient reaches: why gated cells exist (Hochreiter, 1991; Bengio et al., 1994)."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from unroll.config.cells import gru, lstm, rnn
from unroll.config.model import ModelConfig
from unroll.data.spec import Spec
from unroll.models.network import Fields, Network, build

Reach = NDArray[np.float64]


def gradient_reach(network: Network, inputs: Fields, targets: Fields) -> Reach:
    """(T,) mean over lanes of ‖∂ loss at the last step / ∂ x_{T-k}‖ for k = 0 … T - 1, relative to k = 0.

    The input's gradient gathers every path through the state, the LSTM's cell as well as its output.
    """
    x = network.embed(inputs).detach().requires_grad_()                                 # (T, B, E)
    outputs, _ = network.read(x, network.first_state(inputs, x.shape[1]))
    loss = torch.stack([cross_entropy(outputs[name][-1], targets[name][-1], reduction="sum") for name in targets])
    (gradient,) = torch.autograd.grad(loss.sum(), x)
    norms = gradient.norm(dim=-1).mean(dim=-1).flip(0).double().numpy()                 # (T,)
    return np.asarray(norms / norms[0])


def compare(trained: Network, config: ModelConfig, spec: Spec, inputs: Fields, targets: Fields, seed: int) \
        -> dict[str, Reach]:
    """The trained network beside fresh ones of its sizes: each cell, and linear recurrences that shrink and grow."""
    shared = {name: getattr(config.core, name) for name in ("hidden_size", "num_layers", "dropout")}
    shared |= {"recurrent_init": "orthogonal", "bidirectional": False}
    fresh = {
        "RNN": rnn.Settings(kind="rnn", nonlinearity="tanh", **shared),
        "LSTM": lstm.Settings(kind="lstm", forget_bias=1.0, **shared),
        "GRU": gru.Settings(kind="gru", **shared),
    }
    curves = {f"trained {config.core.kind.upper()}": gradient_reach(trained, inputs, targets)}
    for name, core in fresh.items():
        network = build(config.model_copy(update={"core": core}), spec, seed)
        curves[f"fresh {name}"] = gradient_reach(network, inputs, targets)
    linear = rnn.Settings(kind="rnn", nonlinearity="identity", **shared)
    for radius in (0.9, 1.1):
        network = build(config.model_copy(update={"core": linear}), spec, seed)
        with torch.no_grad():
            for layer in network.core.children():
                for name, weight in layer.named_parameters():
                    if "weight_hh" in name:
                        weight.mul_(radius)
        curves[f"linear RNN, spectral radius {radius}"] = gradient_reach(network, inputs, targets)
    return curves


def steps_above(reach: Reach, share: float = 0.01) -> int:
    """How many steps back the gradient still has `share` of its size at the last step."""
    below = np.flatnonzero(reach < share)
    return int(below[0]) if len(below) else len(reach)
