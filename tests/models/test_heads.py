"""What heads say and what a wrong one costs, against the formulas by hand."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn.functional import linear

from unroll.config.heads import HEADS
from unroll.config.poolings import POOLINGS
from unroll.data.fields import IGNORED
from unroll.models.head import BaseHead, Sizes, make_head
from unroll.models.losses.cross_entropy import nats
from unroll.models.pooling import BasePooling, make_pooling

LEVELS = [0.05, 0.25, 0.5, 0.75, 0.95]
NAN = math.nan
quick = settings(max_examples=60, deadline=None, derandomize=True)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def head_of(kind: str, sizes: Sizes, **settings: Any) -> BaseHead:
    return make_head(HEADS.settings_of(kind).model_validate({"kind": kind, "dropout": 0.0, **settings}), sizes)


def classify(classes: int, pooling: Any = None) -> BaseHead:
    return head_of("classification", Sizes(3, classes), loss="cross_entropy", pooling=pooling)


def regress(size: int, pooling: Any = None, loss: Any = "squared_error") -> BaseHead:
    return head_of("regression", Sizes(3, size), loss=loss, pooling=pooling)


def labels(count: int) -> BaseHead:
    return head_of("labels", Sizes(3, count), loss="binary_cross_entropy")


def forecast(loss: Any, horizon: int = 4, size: int = 2) -> BaseHead:
    return head_of("forecast", Sizes(3, size, horizon=horizon), loss=loss, levels=LEVELS, pooling="last", calibration="none", decoder=None)


def pooling_of(kind: str, features: int = 6, directions: int = 1) -> BasePooling:
    return make_pooling(POOLINGS.settings_of(kind)(kind=kind), features, directions)


# ------------------------------------------------------------------------------------------------------- losses


@pytest.mark.parametrize("classes", [3, 5])
def test_a_class_costs_minus_the_logarithm_of_its_probability(classes):
    output, target = normal(6, 4, classes), torch.arange(24).reshape(6, 4) % classes
    e = np.exp(output.double().numpy())
    p = e / e.sum(axis=-1, keepdims=True)
    expected = -sum(math.log(p[t, b, target[t, b]]) for t in range(6) for b in range(4))
    assert float(classify(classes).loss(output, target)) == pytest.approx(expected, rel=1e-6)


def test_two_classes_cost_what_a_softmax_of_two_costs():
    """A softmax of logits (0, z) is a sigmoid of z."""
    z, target = 5 * normal(40, 1), torch.arange(40) % 2
    assert float(classify(2).loss(z, target)) == pytest.approx(
        float(nats(torch.cat([torch.zeros_like(z), z], dim=-1), target)), rel=1e-6
    )
    by_hand = sum(math.log1p(math.exp(-float(a) if b else float(a))) for a, b in zip(z[:, 0], target, strict=True))
    assert float(classify(2).loss(z, target)) == pytest.approx(by_hand, rel=1e-6)


def test_two_classes_have_one_output_and_its_gradient_is_that_of_the_softmax():
    head = classify(2)
    assert head.output.out_features == 1 and classify(3).output.out_features == 3
    hidden, target = normal(8, 3), torch.arange(8) % 2
    (own,) = torch.autograd.grad(head.loss(head(hidden), target), [head.output.weight])
    z = linear(hidden, head.output.weight, head.output.bias)[:, 0].detach()
    # d/dz log(1 + e^z) - y·z = σ(z) - y
    torch.testing.assert_close(own[0], ((z.sigmoid() - target)[:, None] * hidden).sum(dim=0))


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("shape", [(7,), (6, 4)])
def test_what_is_ignored_costs_nothing_and_teaches_nothing(classes, shape):
    head = classify(classes)
    output = normal(*shape, head.output.out_features).requires_grad_()
    target = torch.arange(math.prod(shape)).reshape(shape) % classes
    masked = target.clone()
    dropped = torch.arange(math.prod(shape)).reshape(shape) % 3 == 0
    masked[dropped] = IGNORED
    loss = head.loss(output, masked)
    assert loss.item() == pytest.approx(head.loss(output[~dropped], target[~dropped]).item(), rel=1e-6)
    (gradient,) = torch.autograd.grad(loss, [output])
    assert not gradient[dropped].any() and gradient[~dropped].abs().amin() > 0


@pytest.mark.parametrize("classes", [2, 5])
def test_where_nothing_counts_nothing_is_lost(classes):
    head = classify(classes)
    assert float(head.loss(normal(4, head.output.out_features), torch.full((4,), IGNORED))) == 0


def test_the_squared_error_is_its_formula():
    """L = 1/N Σ (y - y_true)², N being the targets: the sum is divided by them later, and here by a target's numbers."""
    output, target = normal(5, 3, 2), normal(5, 3, 2, seed=1)
    expected = ((output - target).double() ** 2).sum() / 2
    assert float(regress(2).loss(output, target)) == pytest.approx(float(expected), rel=1e-6)
    assert float(regress(2).loss(output, target)) / 15 == pytest.approx(float(nn.MSELoss()(output, target)), rel=1e-6)


@pytest.mark.parametrize("shape", [(6, 1), (6, 2), (5, 3, 2)])
def test_a_target_that_is_no_number_does_not_count(shape):
    head = regress(shape[-1])
    output, target = normal(*shape).requires_grad_(), normal(*shape, seed=1)
    target[1] = NAN
    kept = [each for each in range(shape[0]) if each != 1]
    loss = head.loss(output, target)
    assert loss.item() == pytest.approx(head.loss(output[kept], target[kept]).item(), rel=1e-6)
    (gradient,) = torch.autograd.grad(loss, [output])
    assert gradient.isfinite().all() and not gradient[1].any() and gradient[0].abs().amin() > 0


def test_labels_cost_the_sum_over_labels():
    output, target = normal(5, 3, 4), (normal(5, 3, 4, seed=1) > 0).float()
    p = 1 / (1 + np.exp(-output.double().numpy()))
    expected = -np.where(target.numpy() > 0, np.log(p), np.log(1 - p)).sum()
    assert float(labels(4).loss(output, target)) == pytest.approx(expected, rel=1e-6)
    target[2, 1] = NAN
    left = np.ones((5, 3), bool)
    left[2, 1] = False
    without = -np.where(target.numpy() > 0, np.log(p), np.log(1 - p))[left].sum()
    assert float(labels(4).loss(output, target)) == pytest.approx(without, rel=1e-6)


def test_the_gaussian_costs_its_negative_log_likelihood():
    head = forecast("gaussian")
    output, target = normal(5, 16), normal(5, 4, 2, seed=1)
    mean, spread = output.reshape(5, 4, 2, 2).double().unbind(dim=-1)
    deviation = nn.functional.softplus(spread + math.log(math.e - 1)) + 1e-3
    expected = -torch.distributions.Normal(mean, deviation).log_prob(target.double()).sum() / 8
    assert float(head.loss(output, target)) == pytest.approx(float(expected), rel=1e-4)


def test_the_pinball_loss_is_its_formula():
    """Twice the mean over levels q of max(q·e, (q - 1)·e), e being how far the truth is above the quantile."""
    head = forecast("quantile")
    output, target = normal(5, 40), normal(5, 4, 2, seed=1)
    quantiles = output.reshape(5, 4, 2, 5)
    total = 0.0
    for n, h, d in np.ndindex(5, 4, 2):
        for number, q in enumerate(LEVELS):
            e = float(target[n, h, d] - quantiles[n, h, d, number])
            total += 2 * (q * e if e > 0 else (q - 1) * e) / len(LEVELS)
    assert float(head.loss(output, target)) == pytest.approx(total / 8, rel=1e-5)


def test_the_median_costs_the_absolute_error():
    """A regression on the quantile loss predicts the median."""
    head = regress(2, loss="quantile")
    output, target = normal(6, 2), normal(6, 2, seed=1)
    assert float(head.loss(output, target)) == pytest.approx(float((output - target).abs().sum() / 2), rel=1e-6)
    assert torch.equal(head.predict(output), output)


@pytest.mark.parametrize("delta", [0.1, 1.0, 100.0])
def test_the_huber_loss_is_squared_near_zero_and_absolute_further_out(delta):
    head = regress(2, loss={"kind": "huber", "delta": delta})
    output, target = normal(40, 2), normal(40, 2, seed=1)
    error = (output - target).abs().double().numpy()
    expected = np.where(error <= delta, error**2 / 2, delta * (error - delta / 2)).sum() / 2
    assert float(head.loss(output, target)) == pytest.approx(expected, rel=1e-5)
    target[3, 1] = NAN
    expected -= np.where(error <= delta, error**2 / 2, delta * (error - delta / 2))[3, 1] / 2
    assert float(head.loss(output, target)) == pytest.approx(expected, rel=1e-5)


def test_a_regression_on_a_gaussian_predicts_its_mean():
    head = regress(2, loss="gaussian")
    output = head(normal(4, 3))
    assert output.shape == (4, 4)
    torch.testing.assert_close(head.predict(output), output.view(4, 2, 2)[..., 0])


@pytest.mark.parametrize("loss", ["gaussian", "quantile"])
def test_a_forecast_that_has_no_truth_does_not_count(loss):
    head = forecast(loss)
    output, target = normal(5, head.output.out_features).requires_grad_(), normal(5, 4, 2, seed=1)
    target[1] = NAN
    cost = head.loss(output, target)
    assert cost.item() == pytest.approx(head.loss(output[[0, 2, 3, 4]], target[[0, 2, 3, 4]]).item(), rel=1e-6)
    (gradient,) = torch.autograd.grad(cost, [output])
    assert gradient.isfinite().all() and not gradient[1].any()


@pytest.mark.parametrize("loss", ["gaussian", "quantile"])
def test_the_cheapest_forecast_is_the_distribution_itself(loss):
    """Fitted to draws from one normal distribution, the quantiles are the distribution's."""
    head = forecast(loss, horizon=1, size=1)
    output = torch.zeros(head.output.out_features, requires_grad=True)
    draws = 3 + 2 * normal(2000)
    optimizer = torch.optim.Adam([output], lr=0.1)
    for _ in range(250):
        optimizer.zero_grad()
        (head.loss(output.expand(2000, -1), draws[:, None, None]) / 2000).backward()
        optimizer.step()
    quantiles = head.predict(output[None].detach())[0, 0, 0]
    torch.testing.assert_close(quantiles, draws.quantile(torch.tensor(LEVELS)), rtol=0, atol=0.2)


def test_the_next_symbols_cost_is_that_of_a_softmax():
    head = head_of("next_token", Sizes(3, 7), tied=False)
    hidden, target = normal(5, 2, 3), torch.arange(10).reshape(5, 2) % 7
    logits = head(hidden)
    expected = -logits.log_softmax(dim=-1).gather(-1, target[..., None]).sum()
    assert head.loss(logits, target).item() == pytest.approx(expected.item(), rel=1e-6)


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize(("head", "target"), [
    (classify(2), torch.arange(6) % 2), (classify(5), torch.arange(6) % 2), (labels(3), (normal(6, 3) > 0).float()),
    *((regress(2, loss=loss), normal(6, 2)) for loss in ("squared_error", {"kind": "huber", "delta": 1.0})),
    *((forecast(loss), normal(6, 4, 2)) for loss in ("gaussian", "quantile")),
])
def test_a_loss_of_half_precision_outputs_is_summed_in_single_precision(head, target, kind):
    """As mixed precision hands them over."""
    output = normal(6, head.output.out_features).to(kind)
    loss = head.loss(output, target)
    assert loss.dtype == torch.float32
    assert float(loss) == pytest.approx(float(head.loss(output.float(), target)), rel=1e-6)


# -------------------------------------------------------------------------------------------------- predictions


@quick
@given(st.integers(2, 6), st.floats(0.1, 50), st.integers(0, 99))
def test_the_probabilities_of_classes_sum_to_one(classes, size, seed):
    head = classify(classes)
    p = head.predict(size * normal(8, head.output.out_features, seed=seed))
    assert p.shape == (8, classes) and (p >= 0).all()
    torch.testing.assert_close(p.sum(dim=-1), torch.ones(8), rtol=0, atol=1e-6)


def test_of_two_classes_the_second_is_the_likelier_where_its_logit_is_positive():
    p = classify(2).predict(torch.tensor([[-3.0], [0.0], [3.0], [200.0]]))
    assert p.argmax(dim=-1).tolist()[::2] == [0, 1]
    assert p[1].tolist() == [0.5, 0.5] and p[3].tolist() == [0.0, 1.0]
    assert float(p[0, 1]) == pytest.approx(1 / (1 + math.exp(3)))


def test_labels_are_probable_each_by_itself():
    p = labels(3).predict(torch.tensor([[0.0, 100.0, -1.0]]))
    assert p.tolist() == [[0.5, 1.0, pytest.approx(1 / (1 + math.e))]]


def test_a_value_is_what_the_layer_says():
    output = normal(4, 2)
    assert torch.equal(regress(2).predict(output), output)


@quick
@given(st.sampled_from(["gaussian", "quantile"]), st.floats(0.01, 30), st.integers(0, 99))
def test_quantiles_rise(loss, size, seed):
    head = forecast(loss)
    quantiles = head.predict(size * normal(6, head.output.out_features, seed=seed))
    assert quantiles.shape == (6, 4, 2, 5)
    assert (quantiles.diff(dim=-1) >= 0).all()
    if loss == "gaussian":
        assert (quantiles.diff(dim=-1) > 0).all()


def test_a_gaussians_quantiles_are_those_of_its_mean_and_deviation():
    head = forecast("gaussian", horizon=1, size=1)
    quantiles = head.predict(torch.tensor([[2.0, 1.5]]))[0, 0, 0]
    deviation = math.log1p(math.exp(1.5 + math.log(math.e - 1))) + 1e-3
    expected = [2.0 + deviation * z for z in (-1.6448536, -0.6744898, 0, 0.6744898, 1.6448536)]
    assert quantiles.tolist() == pytest.approx(expected, rel=1e-4)


def test_crossed_quantiles_are_put_in_order():
    head = forecast("quantile", horizon=1, size=1)
    assert head.predict(torch.tensor([[3.0, 1.0, 2.0, 5.0, 4.0]])).flatten().tolist() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("loss", ["gaussian", "quantile"])
def test_a_forecast_starts_close_to_the_seasonal_naive_one(loss):
    """That is a correction of zero, with a deviation of one."""
    torch.manual_seed(0)
    head = forecast(loss)
    said = head(normal(50, 3))
    assert said.abs().mean() < 0.1
    if loss == "gaussian":
        widest = head.predict(torch.zeros(1, 16))[..., -1]
        assert widest.flatten().tolist() == pytest.approx([1.6448536] * 8, abs=3e-3)


# ---------------------------------------------------------------------------------------------- shapes and poolings

HIDDEN = normal(4, 3, 6)                        # (T, B, H)
LENGTHS = torch.tensor([4, 1, 2])


def test_the_last_is_what_each_direction_has_read_last():
    found = pooling_of("last")(HIDDEN, LENGTHS)
    assert torch.equal(found, torch.stack([HIDDEN[3, 0], HIDDEN[0, 1], HIDDEN[1, 2]]))
    both = pooling_of("last", directions=2)(HIDDEN, LENGTHS)
    assert torch.equal(both[:, :3], found[:, :3]) and torch.equal(both[:, 3:], HIDDEN[0, :, 3:])


@pytest.mark.parametrize("directions", [1, 2])
def test_means_and_maxima_are_over_valid_steps(directions):
    parts = [HIDDEN[:length, lane] for lane, length in enumerate(LENGTHS)]
    torch.testing.assert_close(pooling_of("mean", directions=directions)(HIDDEN, LENGTHS), torch.stack([p.mean(dim=0) for p in parts]))
    assert torch.equal(pooling_of("max", directions=directions)(HIDDEN, LENGTHS), torch.stack([p.amax(dim=0) for p in parts]))


def test_a_maximum_below_zero_is_not_that_of_the_padding():
    assert (pooling_of("max")(-HIDDEN.abs(), LENGTHS) < 0).all()


def test_attention_is_its_equations():
    """Σ_t softmax(v · tanh(W h_t + b))_t h_t over the valid steps."""
    pool = pooling_of("attention")
    weigh, _, v = pool.score
    for lane, length in enumerate(LENGTHS):
        h = HIDDEN[:length, lane]
        energy = torch.tanh(h @ weigh.weight.T + weigh.bias) @ v.weight[0]
        a = energy.exp() / energy.exp().sum()
        torch.testing.assert_close(pool(HIDDEN, LENGTHS)[lane], (a[:, None] * h).sum(dim=0))


@pytest.mark.parametrize("kind", POOLINGS.own)
def test_without_lengths_all_steps_are_valid(kind):
    pool = pooling_of(kind, directions=2)
    assert torch.equal(pool(HIDDEN, None), pool(HIDDEN, torch.tensor([4, 4, 4])))


@pytest.mark.parametrize("kind", POOLINGS.own)
def test_an_empty_lane_is_finite(kind):
    """Its target does not count, but what is not a number would poison the others' gradient."""
    hidden = HIDDEN.clone().requires_grad_()
    out = pooling_of(kind, directions=2)(hidden, torch.tensor([4, 0, 2]))
    (gradient,) = torch.autograd.grad(out.sum(), [hidden])
    assert out.isfinite().all() and gradient.isfinite().all()


@pytest.mark.parametrize(("head", "shape"), [
    (classify(2), (4, 3, 1)), (classify(5), (4, 3, 5)), (labels(7), (4, 3, 7)), (regress(2), (4, 3, 2)),
    (classify(2, "max"), (3, 1)), (classify(5, "mean"), (3, 5)), (regress(2, "attention"), (3, 2)),
    (forecast("gaussian"), (3, 16)), (forecast("quantile"), (3, 40)),
])
def test_a_head_answers_every_step_or_once(head, shape):
    assert head(HIDDEN[..., :3], LENGTHS).shape == shape
    assert head(HIDDEN[0, :, :3]).shape == (3, shape[-1])       # a single step of each lane


def test_weights_start_within_glorots_bound_and_biases_at_zero():
    head = head_of("labels", Sizes(300, 100), loss="binary_cross_entropy")
    bound = math.sqrt(6 / 400)
    assert 0.99 * bound < float(head.output.weight.abs().max().detach()) <= bound
    assert not head.output.bias.any()


@pytest.mark.parametrize(("kind", "settings"), [
    ("classification", {"loss": "cross_entropy", "pooling": "last"}),
    ("labels", {"loss": "binary_cross_entropy"}),
    ("regression", {"loss": "squared_error", "pooling": None}),
    ("next_token", {"tied": False}),
    ("forecast", {"loss": "gaussian", "levels": [0.1, 0.5, 0.9], "calibration": "none", "decoder": None, "pooling": "mean"}),
])
def test_every_kind_of_head_is_made_with_its_settings(kind, settings):
    head = head_of(kind, Sizes(6, 3, horizon=2), dropout=0.3, **settings)
    assert type(head).__module__ == f"unroll.models.heads.{kind}"
    assert head.dropout == 0.3
    assert (head.pool.settings.kind if head.pool is not None else None) == settings.get("pooling")


def test_the_head_of_the_next_symbol_pools_nothing():
    """It is asked as every other head is."""
    assert head_of("next_token", Sizes(6, 3), tied=False).pool is None


def test_a_kind_without_further_settings_is_written_by_its_name():
    settings = HEADS.settings_of("regression").model_validate(
        {"kind": "regression", "dropout": 0.0, "pooling": {"kind": "mean"}, "loss": {"kind": "huber", "delta": 2.0}})
    dumped = settings.model_dump(mode="json")
    assert dumped == {"kind": "regression", "dropout": 0.0, "pooling": "mean", "loss": {"kind": "huber", "delta": 2.0}}
    assert type(settings).model_validate(dumped) == settings
