"""The contract of a loss, `unroll.models.loss.BaseLoss`."""

from collections.abc import Callable
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor

from unroll.config.load import explain
from unroll.config.loss import LossSettings
from unroll.config.losses import LOSSES
from unroll.data.fields import IGNORED
from unroll.models.loss import BaseLoss, BaseRealLoss, Frequencies, make_loss, make_real_loss
from unroll.testing._compare import equal, equal_shape

TARGETS, CLASSES = 12, 4
LEVELS = [0.1, 0.3, 0.5, 0.9]
FREQUENCIES = Frequencies(("a", "b", "c", "d"), (50, 20, 7, 1))


def check_loss(kind: str, **settings: Any) -> None:
    """Check a kind of loss, one of ours or of an installed package; `settings` are those that it has."""
    values = {"kind": kind, **settings}
    try:
        made = LOSSES.settings_of(kind).model_validate(values)
    except ValidationError as error:
        raise AssertionError(f"settings of {kind}: {explain(error, values)}; pass it to check_loss") from None
    assert isinstance(made, LossSettings), f"settings of {kind} do not derive from unroll.config.loss.LossSettings"
    for check in CHECKS:
        check(made)


def check_sum(settings: LossSettings) -> None:
    """A finite number, and the sum over its targets: two halves cost what the whole costs, leading axes are free."""
    loss, (outputs, target) = _loss(settings), _example(settings)
    cost = loss(outputs, target)
    equal_shape("the loss", cost, ())
    assert cost.isfinite(), "the loss is not finite"
    half = TARGETS // 2
    equal("the loss is not a sum: two halves do not add up to the whole",
          loss(outputs[:half], target[:half]) + loss(outputs[half:], target[half:]), cost)
    apart = (part.reshape(2, half, *part.shape[1:]) for part in (outputs, target))
    equal("the loss depends on the leading axes: (T, B, …) differs from (T·B, …)", loss(*apart), cost)


def check_masked(settings: LossSettings) -> None:
    """Masked targets cost nothing and have no gradient; without any target the loss is 0."""
    loss, (outputs, target) = _loss(settings), _example(settings)
    known = torch.arange(TARGETS) % 3 > 0
    masked = target.clone()
    masked[~known] = IGNORED if settings.target == "classes" else torch.nan
    outputs.requires_grad_()
    cost = loss(outputs, masked)
    equal("masked targets cost something", cost, loss(outputs[known], target[known]))
    (gradient,) = torch.autograd.grad(cost, outputs)
    assert gradient.isfinite().all(), "the gradient is not finite where targets are masked"
    assert not gradient[~known].any(), "masked targets have a gradient"
    nothing = loss(outputs[:1], masked[:1])       # the first target is masked
    assert nothing.detach() == 0, "a loss without targets is not 0"


def check_gradients(settings: LossSettings) -> None:
    """Every output of a target gets a finite gradient, also where the prediction is far off."""
    loss, (outputs, target) = _loss(settings), _example(settings)
    for scale in (1.0, 30.0):
        far = (scale * outputs).requires_grad_()
        cost = loss(far, target)
        (gradient,) = torch.autograd.grad(cost, far)
        assert cost.isfinite() and gradient.isfinite().all(), f"not finite with outputs of size {scale:g}"
        assert scale > 1 or gradient.flatten(1).any(dim=1).all(), "some targets have no gradient"


def check_precision(settings: LossSettings) -> None:
    """Outputs in half precision are summed in single precision, and in no other type otherwise."""
    loss, (outputs, target) = _loss(settings), _example(settings)
    floats = target if settings.target == "classes" else target.float()
    for given, wanted in ((torch.bfloat16, torch.float32), (torch.float32, torch.float32)):
        found = loss(outputs.to(given), floats).dtype
        assert found == wanted, f"the loss of {given} outputs is {found}, not {wanted}; see unroll.models.loss.full"


def check_predictions(settings: LossSettings) -> None:
    """A loss of real numbers: quantiles (…, levels) that rise; without intervals one value at every level."""
    loss = _loss(settings)
    if not isinstance(loss, BaseRealLoss):
        return
    outputs, _ = _example(settings)
    predicted = loss.predict(outputs)
    equal_shape("predict()", predicted, (TARGETS, len(LEVELS)))
    steps = predicted.diff(dim=-1)
    assert (steps >= 0).all(), "predict(): quantiles do not rise"
    assert settings.intervals == bool(steps.any()), \
        f"predict() has {'several values' if steps.any() else 'one value'}, intervals is {settings.intervals}"
    alone = make_real_loss(settings, [0.5])
    equal_shape("predict() at the median alone", alone.predict(_outputs(alone.parameters)), (TARGETS, 1))


CHECKS: tuple[Callable[[LossSettings], None], ...] = (
    check_sum, check_masked, check_gradients, check_precision, check_predictions)


def _loss(settings: LossSettings) -> BaseLoss:
    loss = make_real_loss(settings, LEVELS) if settings.target == "reals" else make_loss(settings, FREQUENCIES)
    base = BaseRealLoss if settings.target == "reals" else BaseLoss
    assert isinstance(loss, base), f"{type(loss)} does not derive from unroll.models.loss.{base.__name__}"
    return loss


def _example(settings: LossSettings) -> tuple[Tensor, Tensor]:
    """Outputs (N, ·) and targets (N,) or (N, labels)."""
    draw = torch.Generator().manual_seed(5)
    if settings.target == "classes":
        return _outputs(CLASSES), torch.arange(TARGETS) % CLASSES
    if settings.target == "labels":
        return _outputs(CLASSES), torch.randint(2, (TARGETS, CLASSES), generator=draw).double()
    loss = _loss(settings)
    assert isinstance(loss, BaseRealLoss)
    return _outputs(loss.parameters), torch.randn(TARGETS, generator=draw, dtype=torch.float64)


def _outputs(size: int) -> Tensor:
    return torch.randn(TARGETS, size, generator=torch.Generator().manual_seed(6), dtype=torch.float64)
