"""inputs → recurrent core → heads."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from unroll.config.model import EmbeddingConfig, ModelConfig, NextTokenConfig
from unroll.errors import UserError
from unroll.models.cells import State
from unroll.models.core import Core, Dropout
from unroll.models.dropout import no_dropout

Fields = dict[str, Tensor]


class TokenInput(nn.Module):
    def __init__(self, config: EmbeddingConfig, vocabulary: int) -> None:
        super().__init__()
        self.dropout = config.dropout
        self.embedding = nn.Embedding(vocabulary, config.size)
        nn.init.normal_(self.embedding.weight, std=config.size**-0.5)

    def forward(self, tokens: Tensor, dropout: Dropout) -> Tensor:
        return dropout(self.embedding(tokens), self.dropout)                # (T, B, E)


class NextTokenHead(nn.Module):
    """y_t = W_hy h_t + b_y, (…, V). Tied, W_hy is the embedding, after a projection where the sizes differ."""

    def __init__(self, config: NextTokenConfig, hidden_size: int, vocabulary: int, tied_to: TokenInput | None) -> None:
        super().__init__()
        self.dropout = config.dropout
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        if tied_to is None:
            self.weight = nn.Parameter(torch.empty(vocabulary, hidden_size))
            nn.init.xavier_uniform_(self.weight)
        else:
            size = tied_to.embedding.embedding_dim
            self.projection = nn.Identity() if size == hidden_size else nn.Linear(hidden_size, size, bias=False)
            # in a list, the other module's weight is not saved a second time as this one's
            self._tied = [tied_to.embedding]

    def forward(self, hidden: Tensor, dropout: Dropout = no_dropout) -> Tensor:
        hidden = dropout(hidden, self.dropout)
        if hasattr(self, "_tied"):
            return linear(self.projection(hidden), self._tied[0].weight, self.bias)
        return linear(hidden, self.weight, self.bias)


class Network(nn.Module):
    def __init__(self, config: ModelConfig, spec: dict[str, Any]) -> None:
        """Sizes that come from data come from `spec` (the prepared folder's `spec.json`)."""
        super().__init__()
        self.inputs = nn.ModuleDict(
            {name: TokenInput(each, spec["inputs"][name]["size"]) for name, each in config.inputs.items()}
        )
        self.core = Core(config.core, sum(each.size for each in config.inputs.values()))
        self.heads = nn.ModuleDict()
        for name, head in config.heads.items():
            target = spec["targets"][name]
            tied_to = self.inputs[target["of"]] if head.tied else None
            self.heads[name] = NextTokenHead(head, config.core.hidden_size, target["size"], tied_to)  # type: ignore[arg-type]

    def start(self, lanes: int) -> list[State]:
        return self.core.start(lanes)

    def forward(
        self, inputs: Fields, state: list[State] | None = None, dropout: Dropout = no_dropout
    ) -> tuple[Fields, list[State]]:
        """Whole sequences: each input (T, B), each output (T, B, V); the state goes in and comes out."""
        return self.read(self.embed(inputs, dropout), state, dropout)

    def embed(self, inputs: Fields, dropout: Dropout = no_dropout) -> Tensor:
        return torch.cat([layer(inputs[name], dropout) for name, layer in self.inputs.items()], dim=-1)

    def read(
        self, x: Tensor, state: list[State] | None = None, dropout: Dropout = no_dropout
    ) -> tuple[Fields, list[State]]:
        """The network behind its embedding, x (T, B, E)."""
        hidden, after = self.core(x, self.start(x.shape[1]) if state is None else state, dropout)
        return {name: head(hidden, dropout) for name, head in self.heads.items()}, after

    def step(self, inputs: Fields, state: list[State]) -> tuple[Fields, list[State]]:
        """One symbol of each lane: each input (B,), each output (B, V)."""
        hidden, after = self.core.step(self.embed(inputs), state)
        return {name: head(hidden) for name, head in self.heads.items()}, after


def build(config: ModelConfig, spec: dict[str, Any], seed: int) -> Network:
    """A fresh network whose initial weights follow from `seed` alone; raises `UserError` if data lacks a field."""
    for part, names in (("inputs", config.inputs), ("targets", config.heads)):
        if missing := set(names) - set(spec[part]):
            raise UserError(f"model: the prepared data has no {part} {sorted(missing)}; it has {sorted(spec[part])}.")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Network(config, spec)
