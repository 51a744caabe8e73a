"""Prepared folder → model folder."""

import math
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from unroll.base.environment import environment
from unroll.base.files import sha256, write_json, write_rows, write_text
from unroll.base.job_folder import JobFolder
from unroll.base.processes import rank
from unroll.base.workspace import Workspace
from unroll.config.data import DataConfig
from unroll.config.model import ModelConfig
from unroll.config.objective import Objective, column, objective
from unroll.config.pretrained import PretrainedConfig
from unroll.config.runtime import RuntimeConfig
from unroll.config.sampling import sampling
from unroll.config.train import TrainConfig
from unroll.data.given import given_of
from unroll.data.store import Prepared, open_prepared
from unroll.generation.engines import engine_of
from unroll.generation.text import Generator
from unroll.models.folder import parameters, save_model
from unroll.models.manifest import WEIGHTS
from unroll.models.network import Network, build
from unroll.models.pretrained import take_over
from unroll.tracking import Tracker
from unroll.tracking.models import fetch_model
from unroll.training.batches import Batches
from unroll.training.calibration import calibrate
from unroll.training.callbacks import Row, Unit
from unroll.training.fit import Result, Watch, fit
from unroll.training.work import Work, key, work_folder


def train(
    workspace: Workspace, runtime: RuntimeConfig, data: DataConfig, model: ModelConfig, train: TrainConfig,
    pretrained: PretrainedConfig,
) -> None:
    """Train a network and write the weights with the lowest validation loss; outputs are written at the end."""
    torch.set_num_threads(train.threads)
    prepared = open_prepared(workspace.prepared, data)
    network = build(model, prepared.spec, train.seed)
    begin(network, prepared, pretrained, workspace)
    calibrated = [name for name, head in model.heads.items() if head.calibrates]
    batches = Batches(prepared, train, runtime.workers, network.whole, bool(calibrated))
    goal, unit = objective(train.monitor, model.heads), unit_of(prepared)
    identity = key(data, model, train, pretrained, prepared, workspace)
    with work_folder(workspace.work, identity, rank()) as folder:
        job, known = JobFolder(workspace.root), folder / "run"
        if rank() == 0:
            job.begin(folder)
        tracker = Tracker(runtime.tracking, workspace, job.describe())
        tracker.start(
            f"{model.core.kind}-{model.core.hidden_size}x{model.core.num_layers}",
            {"data": data.model_dump(), "model": model.model_dump(), "train": train.model_dump(),
             **({"pretrained": pretrained.model_dump()} if pretrained.model else {})},
            {
                "train.key": identity,
                "model.kind": model.core.kind,
                "data.sha256": prepared.spec.source.sha256,
                "prepared.sha256": prepared.digest,
                "lock.sha256": sha256(workspace.lock) if workspace.lock.is_file() else "none",
                "mlflow.note.content": f"{model.core.kind.upper()}, {model.core.num_layers} × {model.core.hidden_size} "
                f"units, on {prepared.spec.source.name}.",
            },
            {"name": prepared.spec.source.name, "digest": prepared.digest},
            known.read_text(encoding="utf-8") if known.exists() else None,
            lambda run: write_text(known, run),
        )
        tracker.files(workspace.params)
        watch = Watch(*watchers(tracker, job, runtime, prepared, goal, unit, train.seed), runtime.progress)
        try:
            work = Work(folder, identity, runtime.checkpoint, runtime.wait_minutes)
            result = fit(network, batches, train, goal, unit, work, watch, pretrained.learning_rates)
            if result.first:
                if calibrated:
                    print(f"train: {calibrate(network, batches, calibrated)} validation origins calibrate", flush=True)
                write(workspace, network, model, prepared, result, unit, tracker, train.accelerator)
        except BaseException as error:
            tracker.finish("KILLED" if isinstance(error, KeyboardInterrupt | SystemExit) else "FAILED")
            raise
    if result.first:
        for line in too_little(result.steps, train, batches.train_length, prepared.spec.layout == "windows"):
            print(f"train: {line}")
        print(f"train: best validation {goal.name} {result.best[goal.name]:.4f} at step {result.best_step}, "
              f"{result.speed:,.0f} {unit.counted}/s → {workspace.model} ({tracker.where()})")


def too_little(steps: int, train: TrainConfig, batches: int, windows: bool) -> list[str]:
    """What speaks against a training of so few steps, with so many batches an epoch."""
    found, warmup, epochs = [], train.schedule.warmup_steps, steps * train.accumulate / batches
    if steps <= warmup:
        found.append(f"too little training: {steps:,} steps, and the warm-up alone takes {warmup:,}. Raise "
                     "train.epochs and train.max_steps, or lower train.schedule.warmup_steps.")
    if windows and epochs < 10 and train.patience is None:
        found.append(f"too little training, perhaps: each window was read {epochs:.1f} times. Raise train.epochs and "
                     "train.max_steps, and see whether the validation loss still falls.")
    return found


def begin(network: Network, prepared: Prepared, pretrained: PretrainedConfig, workspace: Workspace) -> None:
    """Load the weights that the training starts from, if any."""
    if pretrained.model is None:
        return
    inputs = prepared.spec.inputs
    tokenizers = {name: prepared.tokenizer(name) for name in inputs if inputs[name].kind == "tokens"}
    with TemporaryDirectory() as fetched:
        folder = workspace.project / pretrained.model
        if pretrained.model.startswith("models:/"):
            folder = fetch_model(pretrained.model, Path(fetched))
        for line in take_over(network, prepared.spec, tokenizers, folder, pretrained):
            if rank() == 0:
                print(f"train: {line}")


def watchers(
    tracker: Tracker, job: JobFolder, runtime: RuntimeConfig, prepared: Prepared, goal: Objective, unit: Unit, seed: int
) -> tuple[Callable[[str, Row], None], Callable[[Network, int], None]]:
    """Observers that log curves and samples while the training runs, and report validations to a study."""
    names = {"train": "train", "validation": "val"}

    def report(curve: str, row: Row) -> None:
        for name, value in shown_row(row, unit).items():
            if name != "step" and not math.isnan(value):
                tracker.point(f"{names[curve]}/{name}", value, int(row["step"]))
        if curve == "validation" and rank() == 0:
            job.validated(int(row["step"]), row[goal.name])

    def preview(network: Network, step: int) -> None:
        length = runtime.tracking.sample_length
        text = unit.bits is not None and not prepared.spec.drawn
        if runtime.tracking.enabled and length and text:
            tracker.text(sample(network, prepared, length, seed), f"samples/step_{step:06d}.txt")

    return report, preview


def write(
    workspace: Workspace, network: Network, model: ModelConfig, prepared: Prepared, result: Result, unit: Unit,
    tracker: Tracker, accelerator: str,
) -> None:
    """Write all outputs while the work folder still exists, so that a training that is killed here can resume."""
    metrics = {
        "train/steps": result.steps,
        "train/best_step": result.best_step,
        **{f"val/best_{name}": value for name, value in shown_row(result.best, unit).items()},
        "model/parameters": parameters(network),
    }
    save_model(workspace.model, network, model, prepared)
    write_json(workspace.metrics / "train.json", metrics)
    write_json(workspace.metrics / "environment.json", environment(accelerator))
    for curve, rows in result.curves.items():
        columns = ("step", "loss", *(() if unit.bits is None else ("bpc",)))        # where there are no rows
        write_rows(workspace.plots / f"{curve}.csv", [shown_row(row, unit) for row in rows], columns)
    tags = {"model.sha256": sha256(workspace.model / WEIGHTS)}
    tracker.tags(tags)
    tracker.model(workspace.model, tags)
    tracker.metrics({**metrics, "system/train_seconds": result.seconds,
                     f"system/{unit.counted}_per_second": result.speed})
    tracker.finish()


def shown_row(row: Row, unit: Unit) -> Row:
    """With the bits per character of a text."""
    return row if unit.bits is None else {**row, unit.loss.replace("loss", "bpc"): row[unit.loss] * unit.bits}


def unit_of(prepared: Prepared) -> Unit:
    """What the loss is averaged over; for text, with the bits per character of one nat per symbol."""
    spec, counted = prepared.spec, prepared.spec.splits["train"]
    symbols = [name for name, target in spec.targets.items() if target.symbols]
    several = len(spec.targets) > 1
    if symbols:
        (name,), bits = symbols, counted.steps / counted.characters / math.log(2)
        return Unit("targets" if several else "symbols", bits, column(name, "loss", spec.targets))
    per_sequence = "windows" if spec.layout == "windows" else "sequences"
    per_step = any(target.per == "step" for target in spec.targets.values())
    return Unit("targets" if several else "steps" if per_step else per_sequence, None)


def sample(network: Network, prepared: Prepared, length: int, seed: int) -> str:
    """A text sampled from the current network, beside what a validation sequence has; for MLflow only."""
    field = prepared.spec.main
    generator = Generator(engine_of(network), prepared.tokenizer(field))
    given = given_of(prepared.sequences("validation"), generator.needs, 1)
    length = min([length, *(len(given[0][name]) for name in generator.steps)])
    (made,) = generator.samples([""], sampling(length=length, temperature=0.8), seed, given=given)
    return made.text
