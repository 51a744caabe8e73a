"""Recall by class: how much of each is found, which accuracy hides where some are rare."""

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int64]


def recall_by_class(predicted: Labels, truth: Labels, classes: int) -> NDArray[np.float64]:
    """(classes,) the share of each that is predicted as such; NaN of a class that does not occur."""
    true = np.bincount(truth, minlength=classes)
    right = np.bincount(truth[predicted == truth], minlength=classes)
    return np.where(true > 0, right / true.clip(1), np.nan)


def balanced_accuracy(predicted: Labels, truth: Labels, classes: int) -> float:
    """The mean recall of the classes that occur."""
    return float(np.nanmean(recall_by_class(predicted, truth, classes)))


def plain_names(classes: Sequence[str]) -> list[str]:
    """Names of classes as they may stand in the name of a metric, each another one: MLflow takes few marks."""
    plain = [re.sub(r"[^\w .-]", "_", name)[:60].strip(" .") or "_" for name in classes]
    if len(set(plain)) < len(plain):
        plain = [f"{number}_{name}".rstrip("_") for number, name in enumerate(plain, 1)]
    return plain
