"""The optimiser and its learning rate over time, from section `train`."""

import math
from collections.abc import Mapping
from typing import Any

from torch.nn import Module, Parameter
from torch.optim import SGD, AdamW, Optimizer, RMSprop
from torch.optim.lr_scheduler import LambdaLR

from unroll.config.pretrained import within
from unroll.config.train import AdamWConfig, RMSpropConfig, ScheduleConfig, SGDConfig, TrainConfig
from unroll.models.by_field import plain


def groups(network: Module, rate: float, factors: Mapping[str, float]) -> list[dict[str, Any]]:
    """Parameters that are trained, the parts of a network with learning rates of their own apart; the others first."""
    found: dict[float, list[Parameter]] = {1.0: []}
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            parts = [part for part in factors if within(plain(name), part)]
            found.setdefault(factors[max(parts, key=len)] if parts else 1.0, []).append(parameter)
    return [{"params": own, "lr": rate * factor} for factor, own in found.items() if own]


def make_optimizer(config: TrainConfig, trained: list[Parameter] | list[dict[str, Any]]) -> Optimizer:
    """`trained`: parameters, or groups of them."""
    match config.optimizer:
        case AdamWConfig(beta1=beta1, beta2=beta2, weight_decay=decay):
            # a fused optimiser unscales gradients itself, after clipping: their norm would not be `clip_norm`
            fused = config.precision != "16-mixed"
            return AdamW(trained, config.learning_rate, (beta1, beta2), weight_decay=decay, fused=fused)
        case SGDConfig(momentum=momentum, weight_decay=decay):
            return SGD(trained, config.learning_rate, momentum, weight_decay=decay)
        case RMSpropConfig(alpha=alpha, momentum=momentum, weight_decay=decay):
            return RMSprop(trained, config.learning_rate, alpha, momentum=momentum, weight_decay=decay)


def make_schedule(config: ScheduleConfig, optimizer: Optimizer, total_steps: int) -> LambdaLR:
    """A linear warm-up, then a constant or a half cosine down to `final_fraction` (Loshchilov & Hutter, 2017)."""

    def factor(step: int) -> float:
        if step < config.warmup_steps:
            return (step + 1) / config.warmup_steps
        if config.kind == "constant":
            return 1.0
        progress = min(1.0, (step - config.warmup_steps) / max(1, total_steps - config.warmup_steps))
        return config.final_fraction + (1 - config.final_fraction) * 0.5 * (1 + math.cos(math.pi * progress))

    return LambdaLR(optimizer, factor)
