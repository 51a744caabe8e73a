"""Model folder and test split → figures, the model's card and pictures."""

import csv
import json
from pathlib import Path

import torch

from unroll.base.files import replacing, write_json
from unroll.base.job_folder import JobFolder
from unroll.base.workspace import Workspace
from unroll.config.evaluate import EvaluateConfig
from unroll.config.runtime import RuntimeConfig
from unroll.data.store import open_prepared
from unroll.drawing.evaluation import bars, curves
from unroll.evaluation.card import card
from unroll.evaluation.report import Report
from unroll.evaluation.reports import report_of
from unroll.models.folder import Model, load_model
from unroll.tracking import Tracker


def evaluate(workspace: Workspace, runtime: RuntimeConfig, evaluate: EvaluateConfig) -> None:
    """Measure the best weights and baselines on every split; no other stage measures them on the test split."""
    torch.set_num_threads(evaluate.threads)
    prepared = open_prepared(workspace.prepared)
    model = load_model(workspace.model, prepared)
    tracker = Tracker(runtime.tracking, workspace, JobFolder(workspace.root).describe())
    tracker.attach(model.digest)
    ((target, head),) = model.config.heads.items()
    report = report_of(head)(model, prepared, target, evaluate)
    write_json(workspace.metrics / "test.json", report.metrics)
    about = describe(workspace, model, report)
    draw(workspace.plots, model.config.core.kind, report)
    tracker.describe(about)
    tracker.metrics(report.metrics)
    tracker.files(workspace.plots / "test", folder="plots")
    tracker.files(workspace.metrics, folder="metrics")
    tracker.files(workspace.card / "README.md", workspace.params)
    tracker.finish()
    print(f"evaluate: {summary(report)} → {workspace.metrics / 'test.json'} ({tracker.where()})")


def describe(workspace: Workspace, model: Model, report: Report) -> str:
    """Write the model's card and the comparison with baselines; return the card."""
    training = json.loads((workspace.metrics / "train.json").read_text(encoding="utf-8"))
    about = card(model.config, model.spec, report.prose, training, report.comparison)
    with replacing(workspace.card) as folder:
        folder.mkdir()
        (folder / "README.md").write_text(about, encoding="utf-8", newline="")
        report.comparison.write(folder / workspace.comparison.name)
    return about


def draw(plots: Path, model: str, report: Report) -> None:
    """Draw what every task has, then the task's own pictures; `model` names the model among the baselines."""
    train, validation = (read_rows(plots / f"{curve}.csv") for curve in ("train", "validation"))
    text = "bpc" in validation[0]
    factor = validation[0]["bpc"] / validation[0]["loss"] if text else 1.0
    comparison = report.comparison
    with replacing(plots / "test") as folder:
        folder.mkdir()
        curves(train, validation, factor, "bits per character" if text else "loss", folder / "curves.png")
        bars(dict(comparison.ranked(model)), model, comparison.unit, comparison.higher_is_better,
             folder / "baselines.png")
        report.draw(folder)


def read_rows(path: Path) -> list[dict[str, float]]:
    with path.open(newline="", encoding="utf-8") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def summary(report: Report) -> str:
    """The test split's loss and measure and the best baseline's, in a few words."""
    loss = f"test loss {report.metrics['test/loss']:.4f}, " if "test/loss" in report.metrics else ""
    best = report.comparison.best_baseline()
    beside = f" ({best[0]} {best[1]:.4f})" if best else ""
    return f"{loss}{report.comparison.unit} {report.comparison.model:.4f}{beside}"
