"""A class per sequence, or per step: accuracy, balanced accuracy, macro-F1, which classes are taken for which.

Of two classes also the area under the ROC curve and the average precision of the second.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torchmetrics.functional.classification import (
    multiclass_accuracy,
    multiclass_confusion_matrix,
    multiclass_f1_score,
)

from unroll.base.files import write_rows
from unroll.baselines.classifiers import after, by_symbol, one_step, words
from unroll.baselines.nearest import nearest_neighbour
from unroll.config.evaluate import EvaluateConfig
from unroll.config.heads.classification import Settings
from unroll.data.source import Split
from unroll.data.store import Prepared
from unroll.drawing import evaluation as pictures
from unroll.evaluation.ranking import Ranking
from unroll.evaluation.recall import balanced_accuracy, plain_names, recall_by_class
from unroll.evaluation.report import Metrics, Prose, Report
from unroll.evaluation.scored import PREFIXES, Scored, previous, score_split
from unroll.models.folder import Model

Labels = NDArray[np.int64]
MOST_METRICS = 20   # classes whose recall is a metric each; the table has that of any number
PROSE = Prose(
    task="names the class of each {per}",
    limits=(
        "It names one of its classes for any input, also where none of them fits.",
        "Its probabilities are as training left them; check how often they are right before relying on them.",
    ),
)
NEXT = replace(PROSE, task="predicts the category of the next step", commands="`unroll sample` draws sequences, "
               "`unroll predict` gives the probabilities of each step before it is read", limits=PROSE.limits[1:],
               example='model.predict([["a", "b"]])     # names, one a step')


def report(model: Model, prepared: Prepared, name: str, settings: EvaluateConfig) -> Report:
    classes = list(prepared.spec.targets[name].classes or ())
    scored = {split: score_split(model.network, prepared, split, name, settings) for split in PREFIXES}
    metrics: Metrics = {}
    for split, prefix in PREFIXES.items():
        metrics |= measures(scored[split], len(classes), prefix)
    test = scored["test"]
    for method, predicted in baselines(prepared, name, len(classes), settings).items():
        truth = test.targets
        metrics[f"baseline/{method}_accuracy"] = float((predicted == truth).mean())
        metrics[f"baseline/{method}_balanced_accuracy"] = balanced_accuracy(predicted, truth, len(classes))
        metrics[f"baseline/{method}_macro_f1"] = macro_f1(predicted, truth, len(classes))
    found = recall_by_class(test.predictions.argmax(axis=-1), test.targets, len(classes))
    if len(classes) <= MOST_METRICS:
        metrics |= {f"test/recall/{each}": float(recall)
                    for each, recall in zip(plain_names(classes), found, strict=True) if not np.isnan(recall)}
    if len(classes) == len(np.unique(test.targets)) == 2:
        ranked = Ranking(test.predictions[:, 1], test.targets == 1).measure()
        metrics |= {f"test/{measure}": value for measure, value in ranked.items()}
    counted = multiclass_confusion_matrix(
        torch.from_numpy(test.predictions.argmax(axis=-1)), torch.from_numpy(test.targets), len(classes)
    ).numpy()
    prose, head = PROSE if prepared.spec.targets[name].of is None else NEXT, model.config.heads[name]
    if isinstance(head, Settings) and head.loss.probabilities:
        prose = replace(prose, limits=(*prose.limits, head.loss.probabilities))
    examples = np.bincount(_classes(prepared, name, "train"), minlength=len(classes))
    draw = partial(_draw, counted, classes, found, examples)
    return Report(metrics, "accuracy", "accuracy", True, draw, prose)


def measures(scored: Scored, classes: int, prefix: str) -> Metrics:
    """Loss, accuracy, recall and F1, the latter averaged over the classes that occur."""
    likeliest = scored.predictions.argmax(axis=-1)
    predicted, truth = torch.from_numpy(likeliest), torch.from_numpy(scored.targets)
    return {
        f"{prefix}loss": scored.loss,
        f"{prefix}accuracy": rounded(multiclass_accuracy(predicted, truth, classes, average="micro")),
        f"{prefix}balanced_accuracy": balanced_accuracy(likeliest, scored.targets, classes),
        f"{prefix}macro_f1": macro_f1(likeliest, scored.targets, classes),
    }


def macro_f1(predicted: Labels, truth: Labels, classes: int) -> float:
    return rounded(multiclass_f1_score(torch.from_numpy(predicted), torch.from_numpy(truth), classes, average="macro"))


def rounded(value: torch.Tensor) -> float:
    """To six digits: torchmetrics counts in single precision."""
    return round(float(value), 6)


def baselines(prepared: Prepared, name: str, classes: int, settings: EvaluateConfig) -> dict[str, Labels]:
    """The classes of the test split's known targets by methods without a network, in the split's order."""
    train, test = _classes(prepared, name, "train"), prepared.known(name, "test")
    found: dict[str, Any] = {"majority": np.full(len(test), np.bincount(train, minlength=classes).argmax())}
    if prepared.spec.targets[name].of is not None:
        before, last = (previous(prepared, name, split)[:, 0] for split in ("train", "test"))
        return found | {"last": after(before, train, last, classes)}
    field = prepared.spec.main
    kind, per = prepared.spec.inputs[field].kind, prepared.spec.targets[name].per
    tokens, reals = kind == "tokens", kind == "real"
    if tokens and per == "sequence":
        found |= words(prepared, field, name, settings)
    elif tokens:
        found["symbol"] = by_symbol(prepared, field, name, classes)
    elif reals and per == "sequence":
        found |= nearest_neighbour(prepared, field, name, settings.dtw_cells)
    elif reals:
        found["one_step"] = one_step(prepared, field, name, settings)
    return {method: labels if len(labels) == len(test) else labels[test] for method, labels in found.items()}


def _classes(prepared: Prepared, name: str, split: Split) -> Labels:
    """The known targets."""
    field = prepared.sequences(split).targets[name]
    return np.asarray(field.show(field.values[prepared.known(name, split)]), np.int64)


def _draw(counted: NDArray[np.int64], classes: list[str], recall: NDArray[np.float64], examples: NDArray[np.int64],
          folder: Path) -> None:
    """`counted` (true, predicted) and `recall` are of the test split, `examples` of training."""
    pictures.confusion(counted, classes, folder / "confusion.png")
    order, true = np.argsort(-examples, kind="stable"), counted.sum(axis=1)
    write_rows(folder / "recall.csv", [
        {"class": classes[at], "training": int(examples[at]), "test": int(true[at]),
         "recall": None if np.isnan(recall[at]) else float(recall[at])} for at in order])
    pictures.recalls(recall[order], examples[order], [classes[at] for at in order], folder / "recall.png")
