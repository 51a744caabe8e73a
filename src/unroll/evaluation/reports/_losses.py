"""The report of heads that have none of their own: the mean loss of each split."""

from pathlib import Path

from unroll.config.evaluate import EvaluateConfig
from unroll.data.store import Prepared
from unroll.evaluation.report import Metrics, Prose, Report
from unroll.evaluation.scored import PREFIXES, score_split
from unroll.models.folder import Model

PROSE = Prose(task="predicts a target for each {per}", limits=())


def report(model: Model, prepared: Prepared, name: str, settings: EvaluateConfig) -> Report:
    metrics: Metrics = {}
    for split, prefix in PREFIXES.items():
        metrics[f"{prefix}loss"] = score_split(model.network, prepared, split, name, settings).loss
    return Report(metrics, "loss", f"loss of {model.config.heads[name].kind}", False, _draw, PROSE)


def _draw(folder: Path) -> None:
    """No pictures of its own."""
