"""Networks of a few units over a vocabulary of eleven, every parameter of them random."""

from typing import Any

import torch

from unroll.config.model import ModelConfig
from unroll.models.network import Network, build

torch.set_num_threads(1)        # for matrices this small, threads wait for each other longer than they work
SIZE = 11
SPEC: dict[str, Any] = {
    "inputs": {"text": {"kind": "tokens", "size": SIZE}},
    "targets": {"text": {"kind": "next", "of": "text", "size": SIZE}},
}
FUSED = ["rnn-tanh", "rnn-relu", "lstm", "gru"]
CELLS = [*FUSED, "rnn-sigmoid", "rnn-identity"]


def small(
    cell: str, embedding: int = 5, hidden: int = 6, layers: int = 1, init: str = "orthogonal", tied: bool = False,
    dropout: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> ModelConfig:
    """`dropout`: of the input, between layers, of the output."""
    kind, _, nonlinearity = cell.partition("-")
    own = {"rnn": {"nonlinearity": nonlinearity}, "lstm": {"forget_bias": 1.0}, "gru": {}}[kind]
    core = {"kind": kind, "hidden_size": hidden, "num_layers": layers, "dropout": dropout[1], "recurrent_init": init}
    return ModelConfig.model_validate({
        "inputs": {"text": {"kind": "embedding", "size": embedding, "dropout": dropout[0]}},
        "core": core | own,
        "heads": {"text": {"kind": "next_token", "dropout": dropout[2], "tied": tied}},
    })


def random_network(config: ModelConfig, seed: int = 0, spec: dict[str, Any] = SPEC, scale: float = 0.4) -> Network:
    """In double precision, biases included: what starts at zero would hide a mistake."""
    network = build(config, spec, seed).double()
    draw = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for each in network.parameters():
            if each.requires_grad:
                each.copy_(scale * torch.randn(each.shape, generator=draw, dtype=each.dtype))
    return network


def random_tokens(steps: int, lanes: int, seed: int = 0) -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    return {"text": torch.randint(SIZE, (steps, lanes), generator=draw)}
