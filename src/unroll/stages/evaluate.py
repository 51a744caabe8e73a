"""Model folder and test split → figures and pictures."""

import csv
from importlib import import_module
from pathlib import Path

import torch

from unroll.base.files import replacing, write_json
from unroll.base.workspace import Workspace
from unroll.config.evaluate import EvaluateConfig
from unroll.config.runtime import RuntimeConfig
from unroll.data.store import open_prepared
from unroll.drawing import evaluation as pictures
from unroll.evaluation.report import Report
from unroll.models.card import measured
from unroll.models.folder import CARD, Model, load_model
from unroll.tracking import Tracker

# by the kind of head, the module of `evaluation.reports` whose `report` is imported: some take a second
REPORTS = {
    "next_token": "language",
    "classification": "classification",
    "labels": "labels",
    "regression": "regression",
    "forecast": "forecast",
}


def evaluate(workspace: Workspace, runtime: RuntimeConfig, evaluate: EvaluateConfig) -> None:
    """Measure the best weights on every split, the test split's only reader, beside what needs no network."""
    torch.set_num_threads(evaluate.threads)
    prepared = open_prepared(workspace.prepared)
    model = load_model(workspace.model, prepared)
    tracker = Tracker(runtime.tracking, workspace)
    tracker.attach(model.digest)
    (head,) = model.config.heads.values()
    report: Report = import_module(f"unroll.evaluation.reports.{REPORTS[head.kind]}").report(model, prepared, evaluate)
    write_json(workspace.metrics / "test.json", report.metrics)
    with replacing(workspace.plots / "test") as folder:
        folder.mkdir()
        draw(folder, workspace.plots, model, report)
    ours = model.config.core.kind.upper()
    figures = {ours: report.metrics[f"test/{report.measure}"], **report.compared}
    tracker.tags({"mlflow.note.content": "\n".join([
        f"Test: {figures[ours]:.4f} {report.unit}.\n",     # of a description the page of a run shows three lines
        (workspace.model / CARD).read_text(encoding="utf-8"),
        measured(report.unit, ours, figures, report.higher_is_better),
    ])})
    tracker.metrics(report.metrics)
    tracker.files(workspace.plots / "test", folder="plots")
    tracker.files(workspace.metrics, folder="metrics")
    tracker.files(workspace.params)
    tracker.finish()
    best = (max if report.higher_is_better else min)(report.compared.items(), key=lambda pair: pair[1])
    print(f"evaluate: test loss {report.metrics['test/loss']:.4f}, " if "test/loss" in report.metrics else "evaluate: ",
          f"{report.unit} {report.metrics[f'test/{report.measure}']:.4f} ({best[0]} {best[1]:.4f}) → "
          f"{workspace.metrics / 'test.json'} ({tracker.where()})", sep="")


def draw(folder: Path, plots: Path, model: Model, report: Report) -> None:
    train, validation = (read_rows(plots / f"{curve}.csv") for curve in ("train", "validation"))
    factor = validation[0]["bpc"] / validation[0]["loss"] if "bpc" in validation[0] else 1.0
    pictures.curves(train, validation, factor, "bits per character" if "bpc" in validation[0] else "loss",
                    folder / "curves.png")
    ours = model.config.core.kind
    pictures.bars({ours: report.metrics[f"test/{report.measure}"], **report.compared}, ours, report.unit,
                  report.higher_is_better, folder / "baselines.png")
    report.draw(folder)


def read_rows(path: Path) -> list[dict[str, float]]:
    with path.open(newline="", encoding="utf-8") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
