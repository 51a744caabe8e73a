"""Heads: from the core's outputs to predictions, and what a wrong one costs.

A head's `forward` gives raw outputs (logits, scaled values), `loss` their cost summed over targets that count, and
`predict` what a user reads: probabilities, values, quantiles, still on the target's scale.
"""

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, linear, softplus

from unroll.config.model import (
    ClassificationConfig,
    ForecastHeadConfig,
    HeadConfig,
    LabelsConfig,
    NextTokenConfig,
    Pooling,
    RegressionConfig,
)
from unroll.data.fields import IGNORED
from unroll.data.spec import TargetSpec
from unroll.models.dropout import Dropout, no_dropout
from unroll.models.inputs import TokenInput
from unroll.models.pooling import Pool


class Head(nn.Module, ABC):
    """Dropout, pooling where a target is of a whole sequence, one linear layer."""

    def __init__(self, dropout: float, pooling: Pooling | None, features: int, size: int, directions: int) -> None:
        super().__init__()
        self.dropout = dropout
        self.pool = None if pooling is None else Pool(pooling, features, directions)
        self.output = nn.Linear(features, size)
        nn.init.xavier_uniform_(self.output.weight)
        nn.init.zeros_(self.output.bias)

    def forward(self, hidden: Tensor, lengths: Tensor | None = None, dropout: Dropout = no_dropout) -> Tensor:
        """hidden (T, B, H) → (T, B, size), or (B, size) after pooling; one step (B, H) → (B, size)."""
        hidden = dropout(hidden, self.dropout)
        if self.pool is not None and hidden.dim() == 3:
            hidden = self.pool(hidden, lengths)
        out: Tensor = self.output(hidden)
        return out

    @abstractmethod
    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Summed over the targets that count."""

    @abstractmethod
    def predict(self, output: Tensor) -> Tensor:
        """On the target's own scale, or as probabilities."""


class NextTokenHead(Head):
    """y_t = W_hy h_t + b_y, (…, V). Tied, W_hy is the embedding, after a projection where the sizes differ."""

    def __init__(self, config: NextTokenConfig, features: int, vocabulary: int, tied_to: TokenInput | None) -> None:
        nn.Module.__init__(self)
        self.dropout, self.pool = config.dropout, None
        self.bias = nn.Parameter(torch.zeros(vocabulary))
        # in a list, the other module's weight is not saved a second time as this one's
        self._tied = [] if tied_to is None else [tied_to]
        if tied_to is None:
            self.weight = nn.Parameter(torch.empty(vocabulary, features))
            nn.init.xavier_uniform_(self.weight)
        else:
            size = tied_to.embedding.embedding_dim
            self.projection = nn.Identity() if size == features else nn.Linear(features, size, bias=False)

    def forward(self, hidden: Tensor, lengths: Tensor | None = None, dropout: Dropout = no_dropout) -> Tensor:
        hidden = dropout(hidden, self.dropout)
        if self.tied_to is not None:
            return linear(self.projection(hidden), self.tied_to.embedding.weight, self.bias)
        return linear(hidden, self.weight, self.bias)

    @property
    def tied_to(self) -> TokenInput | None:
        return self._tied[0] if self._tied else None

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        return nats(output, target)

    def predict(self, output: Tensor) -> Tensor:
        return output.softmax(dim=-1)


class ClassificationHead(Head):
    """Softmax; of two classes one logit, that of the second, and binary cross-entropy, which is the same with less."""

    def __init__(self, config: ClassificationConfig, features: int, classes: int, directions: int) -> None:
        super().__init__(config.dropout, config.pooling, features, classes if classes > 2 else 1, directions)
        self._binary = classes == 2

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        if not self._binary:
            return nats(output, target)
        counts = target != IGNORED
        logits = full(output)[..., 0][counts]
        return binary_cross_entropy_with_logits(logits, target[counts].to(logits.dtype), reduction="sum")

    def predict(self, output: Tensor) -> Tensor:
        """(…, classes) probabilities."""
        if not self._binary:
            return output.softmax(dim=-1)
        return torch.cat([(-output).sigmoid(), output.sigmoid()], dim=-1)


class LabelsHead(Head):
    """Independent probabilities; the loss of a step is the sum over its labels."""

    def __init__(self, config: LabelsConfig, features: int, labels: int) -> None:
        super().__init__(config.dropout, None, features, labels, 1)

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        counts = ~target.isnan()
        logits = full(output)[counts]
        return binary_cross_entropy_with_logits(logits, target[counts].to(logits.dtype), reduction="sum")

    def predict(self, output: Tensor) -> Tensor:
        return output.sigmoid()


class RegressionHead(Head):
    """Squared errors, the mean over the numbers of a target."""

    def __init__(self, config: RegressionConfig, features: int, size: int, directions: int) -> None:
        super().__init__(config.dropout, config.pooling, features, size, directions)

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        counts = ~target.isnan()
        return ((full(output) - target)[counts] ** 2).sum() / target.shape[-1]

    def predict(self, output: Tensor) -> Tensor:
        return output


class ForecastHead(Head):
    """(B, H, D, ·): a Gaussian's mean and deviation of each step ahead, or its quantiles at `levels`."""

    def __init__(self, config: ForecastHeadConfig, features: int, horizon: int, size: int, directions: int) -> None:
        self._levels = torch.tensor(config.levels)
        self._gaussian = config.distribution == "gaussian"
        self._shape = (horizon, size, 2 if self._gaussian else len(config.levels))
        super().__init__(config.dropout, config.pooling, features, horizon * size * self._shape[2], directions)
        with torch.no_grad():
            self.output.weight.mul_(0.1)        # the start is close to the seasonal naive forecast

    def loss(self, output: Tensor, target: Tensor) -> Tensor:
        """Negative log-likelihood, or twice the pinball loss; the mean over steps ahead and series (B, H, D)."""
        counts = ~target.isnan()
        if self._gaussian:
            mean, deviation = self._gaussians(output)
            z = (target - mean)[counts] / deviation[counts]
            each = 0.5 * z**2 + deviation[counts].log() + 0.9189385332046727        # ½ log 2π
        else:
            error = (target[..., None] - self._quantiles(output))[counts]           # (n, levels)
            levels = self._levels.to(error)
            each = 2 * torch.maximum(levels * error, (levels - 1) * error).mean(dim=-1)
        return each.sum() / (self._shape[0] * self._shape[1])

    def predict(self, output: Tensor) -> Tensor:
        """(B, H, D, levels) quantiles, rising."""
        if not self._gaussian:
            return self._quantiles(output).sort(dim=-1).values
        mean, deviation = self._gaussians(output)
        away: Tensor = torch.special.ndtri(self._levels.double()).to(mean)      # in deviations, at each level
        return mean[..., None] + deviation[..., None] * away

    def _gaussians(self, output: Tensor) -> tuple[Tensor, Tensor]:
        mean, spread = self._quantiles(output).unbind(dim=-1)           # each (B, H, D)
        return mean, softplus(spread + 0.5413) + 1e-3       # deviation 1 where the network says nothing

    def _quantiles(self, output: Tensor) -> Tensor:
        return full(output).view(*output.shape[:-1], *self._shape)


def nats(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy summed over targets that count: logits (…, V), target (…)."""
    return cross_entropy(full(logits).flatten(0, -2), target.flatten(), ignore_index=IGNORED, reduction="sum")


def full(values: Tensor) -> Tensor:
    """At least single precision, also of a network that computes in half: losses are sums of many terms."""
    return values.float() if values.dtype in (torch.float16, torch.bfloat16) else values


def make_head(config: HeadConfig, features: int, directions: int, target: TargetSpec, horizon: int,
              tied_to: TokenInput | None) -> Head:
    size = target.size
    match config:
        case NextTokenConfig():
            return NextTokenHead(config, features, size, tied_to if config.tied else None)
        case ClassificationConfig():
            return ClassificationHead(config, features, size, directions)
        case LabelsConfig():
            return LabelsHead(config, features, size)
        case RegressionConfig():
            return RegressionHead(config, features, size, directions)
        case ForecastHeadConfig():
            return ForecastHead(config, features, horizon, size, directions)
