"""Model folder and test split → figures, the model's card and pictures."""

import csv
import json
from collections.abc import Mapping
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
from unroll.evaluation.comparison import write_comparisons
from unroll.evaluation.report import Metrics, Report
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
    reports = {name: report_of(head)(model, prepared, name, evaluate) for name, head in model.config.heads.items()}
    metrics = figures(reports)
    write_json(workspace.metrics / "test.json", metrics)
    about = describe(workspace, model, reports)
    draw(workspace, model, reports)
    tracker.describe(about)
    tracker.metrics(metrics)
    tracker.files(workspace.plots / "test", folder="plots")
    tracker.files(workspace.metrics, folder="metrics")
    tracker.files(workspace.card / "README.md", workspace.params)
    tracker.finish()
    print(f"evaluate: {'; '.join(summary(name, report, len(reports)) for name, report in reports.items())} → "
          f"{workspace.metrics / 'test.json'} ({tracker.where()})")


def figures(reports: Mapping[str, Report]) -> Metrics:
    """The metrics of all targets, named after them where there are several."""
    if len(reports) == 1:
        return next(iter(reports.values())).metrics
    return {name: value for target, report in reports.items() for name, value in report.named(target).items()}


def describe(workspace: Workspace, model: Model, reports: Mapping[str, Report]) -> str:
    """Write the model's card and the comparison with baselines; return the card."""
    training = json.loads((workspace.metrics / "train.json").read_text(encoding="utf-8"))
    comparisons = {name: report.comparison for name, report in reports.items()}
    about = card(model.config, model.spec, {name: report.prose for name, report in reports.items()}, training,
                 comparisons)
    with replacing(workspace.card) as folder:
        folder.mkdir()
        (folder / "README.md").write_text(about, encoding="utf-8", newline="")
        write_comparisons(folder / workspace.comparison.name, comparisons)
    return about


def draw(workspace: Workspace, opened: Model, reports: Mapping[str, Report]) -> None:
    """Draw the training's curves and each target's pictures; several targets have a folder each."""
    plots, model = workspace.plots, opened.config.core.kind
    train, validation = (read_rows(plots / f"{curve}.csv") for curve in ("train", "validation"))
    best = json.loads((workspace.metrics / "train.json").read_text(encoding="utf-8"))["train/best_step"]
    with replacing(plots / "test") as folder:
        folder.mkdir()
        curves(train, validation, units(opened, validation[0]), best, folder / "curves.png")
        for name, report in reports.items():
            own, comparison = folder if len(reports) == 1 else folder / name, report.comparison
            own.mkdir(exist_ok=True)
            bars(dict(comparison.ranked(model)), model, comparison.unit, comparison.higher_is_better,
                 own / "baselines.png")
            report.draw(own)


def units(model: Model, row: Mapping[str, float]) -> dict[str, tuple[str, float]]:
    """For each loss of the curves its unit, and the factor that gives it; `row` is one of a curve."""
    if "bpc" in row:
        return {"loss": ("bits per character", row["bpc"] / row["loss"])}
    if len(model.config.heads) == 1:
        return {"loss": ("loss", 1.0)}
    own = {f"{name}/loss": (head.unit.format(per=model.spec.targets[name].per), 1.0)
           for name, head in sorted(model.config.heads.items())}
    return {"loss": ("all targets, by their weights", 1.0), **own}


def read_rows(path: Path) -> list[dict[str, float]]:
    with path.open(newline="", encoding="utf-8") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def summary(name: str, report: Report, targets: int) -> str:
    """The test split's loss and measure and the best baseline's, and what it has shown, in a few words."""
    target = f"{name}: " if targets > 1 else ""
    loss = f"test loss {report.metrics['test/loss']:.4f}, " if "test/loss" in report.metrics else ""
    best = report.comparison.best_baseline()
    beside = f" ({best[0]} {best[1]:.4f})" if best else ""
    figure = f"{target}{loss}{report.comparison.unit} {report.comparison.model:.4f}{beside}"
    return "; ".join([figure, *report.prose.found])
