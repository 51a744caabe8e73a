"""Losses that are distributions, each against SciPy's."""

import numpy as np
import pytest
import torch
from scipy.stats import nbinom, t

from unroll.config.losses import LOSSES
from unroll.models.loss import BaseRealLoss, make_real_loss
from unroll.testing import check_loss

LEVELS = [0.05, 0.3, 0.5, 0.95]


def loss_of(kind: str, *scale: float) -> BaseRealLoss:
    return make_real_loss(LOSSES.settings_of(kind)(kind=kind), LEVELS, scale or (1.0,))


def softplus(x):
    return np.logaddexp(0, x)


@pytest.mark.parametrize("kind", ["student_t", "negative_binomial"])
def test_it_keeps_the_contract_of_a_loss(kind):
    check_loss(kind)


def test_student_s_t_costs_its_negative_log_likelihood_and_predicts_its_quantiles():
    draw = np.random.default_rng(1)
    outputs, target = draw.normal(0, 2, (20, 2, 3)), draw.normal(0, 3, (20, 2))
    law = t(softplus(outputs[..., 2] + 4) + 2, outputs[..., 0], softplus(outputs[..., 1] + 0.5413) + 1e-3)
    found = loss_of("student_t")
    assert float(found(torch.tensor(outputs), torch.tensor(target))) == pytest.approx(-law.logpdf(target).sum())
    for at, level in enumerate(LEVELS):
        np.testing.assert_allclose(found.predict(torch.tensor(outputs))[..., at], law.ppf(level), rtol=1e-5, atol=1e-6)


def test_the_negative_binomial_costs_its_negative_log_likelihood_and_predicts_whole_quantiles():
    draw = np.random.default_rng(1)
    scale, outputs, counts = np.array([7.0, 0.4]), draw.normal(0, 1, (20, 2, 2)), draw.poisson(5, (20, 2)).astype(float)
    mean, alpha = scale * np.exp(outputs[..., 0]), softplus(outputs[..., 1]) + 1e-3
    law = nbinom(1 / alpha, 1 / (1 + alpha * mean))
    assert law.var() == pytest.approx(mean + alpha * mean**2)
    found, given = loss_of("negative_binomial", *scale), torch.tensor(counts / scale)
    assert float(found(torch.tensor(outputs), given)) == pytest.approx(-law.logpmf(counts).sum())
    quantiles = found.predict(torch.tensor(outputs)).numpy() * scale[:, None]
    for at, level in enumerate(LEVELS):
        np.testing.assert_allclose(quantiles[..., at], law.ppf(level), atol=1e-9)
    unknown = given.clone()
    unknown[3] = torch.nan
    left = np.arange(20) != 3
    assert float(found(torch.tensor(outputs), unknown)) == pytest.approx(-law.logpmf(counts)[left].sum())
