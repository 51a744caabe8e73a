"""A mixture of normal distributions: its likelihood, by SciPy, where some numbers are not known."""

import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import norm

from tests.data.conftest import dealt, npz, written
from tests.evaluation.conftest import evaluation, model_of
from unroll.data.batches import ItemLayout
from unroll.data.encoders import scaler_of
from unroll.evaluation.reports import mixture
from unroll.models.outputs import tensors

LENGTHS = [4, 6, 3, 5, 2, 7, 8, 3]


@pytest.mark.parametrize("holes", [False, True])
def test_the_likelihood_is_scipys(tmp_path, holes):
    draw = np.random.default_rng(0)
    y = [100 + 5 * draw.standard_normal((length, 2)) for length in LENGTHS]
    if holes:
        for steps in y:
            steps[draw.random(steps.shape) < 0.3] = np.nan
    pieces = [{"x": draw.standard_normal((length, 2)), "y": steps} for length, steps in zip(LENGTHS, y, strict=True)]
    made = written(tmp_path, npz("y", "values"), dealt(pieces))
    model = model_of(made, "mixture")
    report = mixture.report(model, made, "y", evaluation())
    nats, count, scaler = 0.0, 0, scaler_of(made.spec.targets["y"])
    for item, steps in enumerate(y[6:]):
        batch = ItemLayout(made.sequences("test").only(np.array([item])), 1, None).batch(0)
        outputs = model.network(tensors(batch.inputs))[0]["y"][:, 0]
        logits, mean, deviation = (part.detach().double().numpy() for part in model.network.head("y").split(outputs))
        each = norm.logpdf(scaler.encode(steps).astype(float)[:, None], mean, deviation)
        weights = logits - logsumexp(logits, axis=1, keepdims=True)
        nats -= logsumexp(weights + np.nansum(each, axis=2), axis=1).sum()
        count += (~np.isnan(steps)).sum()
    assert report.metrics["test/nll"] == report.metrics["test/loss"] == pytest.approx(nats / count, rel=1e-4)
    train, test = (np.concatenate(part) for part in (y[:4], y[6:]))
    plain = -np.nanmean(norm.logpdf(test, np.nanmean(train, axis=0), np.nanstd(train, axis=0)) + np.log(scaler.deviation))
    assert report.metrics["baseline/normal_nll"] == pytest.approx(plain, rel=1e-4)
    assert (report.measure, report.higher_is_better, [*report.comparison.baselines]) == ("nll", False, ["normal"])
