"""Areas under curves against scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from unroll.evaluation.ranking import Ranking


def test_ranks_are_measured_as_by_scikit_learn():
    draw = np.random.default_rng(1)
    scores, positive, weights = draw.integers(0, 30, 200) / 30, draw.random(200) < 0.3, draw.random(200)
    for weight in (None, weights):
        found = Ranking(scores, positive).measure(weight)
        assert found["auroc"] == pytest.approx(roc_auc_score(positive, scores, sample_weight=weight))
        assert found["auprc"] == pytest.approx(average_precision_score(positive, scores, sample_weight=weight))
