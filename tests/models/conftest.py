"""Networks of a few units over a vocabulary of eleven, every parameter of them random."""

from typing import Any

import torch

from tests.specs import make_spec
from unroll.config.model import ModelConfig
from unroll.data.spec import Spec
from unroll.models.network import Network, build

torch.set_num_threads(1)        # for matrices this small, threads wait for each other longer than they work
SIZE = 11
SPEC = make_spec(
    {"text": {"kind": "tokens", "size": SIZE, "begin": 0}},
    {"text": {"kind": "classes", "per": "step", "of": "text", "size": SIZE}},
)
FUSED = ["rnn-tanh", "rnn-relu", "lstm", "gru"]
CELLS = [*FUSED, "rnn-sigmoid", "rnn-identity"]
CORES = [*CELLS, "mlp", "cnn", "grud"]
OWN: dict[str, dict[str, Any]] = {
    "rnn": {}, "lstm": {"forget_bias": 1.0}, "gru": {}, "mlp": {"window": 3}, "cnn": {"kernel_size": 3},
    "grud": {},
}


def core(
    cell: str, hidden: int = 6, layers: int = 1, dropout: float = 0.0, init: str = "orthogonal", both: bool = False
) -> dict[str, Any]:
    """`rnn-tanh`, …, `mlp`, `cnn`; `both` also reads from the end."""
    kind, _, nonlinearity = cell.partition("-")
    described = {"kind": kind, "hidden_size": hidden, "num_layers": layers, "dropout": dropout, **OWN[kind]}
    if kind in ("rnn", "lstm", "gru", "grud"):
        described |= {"recurrent_init": init, "bidirectional": both}
    return described | ({"nonlinearity": nonlinearity} if nonlinearity else {})


def small(
    cell: str, embedding: int = 5, hidden: int = 6, layers: int = 1, init: str = "orthogonal", tied: bool = False,
    dropout: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> ModelConfig:
    """A language model; `dropout`: of the input, between layers, of the output."""
    return ModelConfig.model_validate({
        "inputs": {"text": {"kind": "embedding", "size": embedding, "dropout": dropout[0]}},
        "core": core(cell, hidden, layers, dropout[1], init),
        "heads": {"text": {"kind": "next_token", "dropout": dropout[2], "tied": tied}},
    })


def random_network(config: ModelConfig, seed: int = 0, spec: Spec = SPEC, scale: float = 0.4) -> Network:
    """In double precision, biases included: what starts at zero would hide a mistake."""
    network = build(config, spec, seed).double()
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.requires_grad:
                parameter.copy_(scale * torch.randn(parameter.shape, generator=draw, dtype=parameter.dtype))
    return network


def random_tokens(steps: int, lanes: int, seed: int = 0) -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return {"text": torch.randint(SIZE, (steps, lanes), generator=draw)}
