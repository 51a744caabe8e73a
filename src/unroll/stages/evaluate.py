"""Model folder and test split → figures and pictures."""

import csv
import math
from pathlib import Path

import numpy as np
import torch

from unroll.config.evaluate import EvaluateConfig
from unroll.config.runtime import RuntimeConfig
from unroll.data.batches import StreamLayout
from unroll.data.store import Prepared, decode, open_prepared
from unroll.errors import UserError
from unroll.evaluation import pictures
from unroll.evaluation.baselines import unigram, witten_bell, xz_bits
from unroll.evaluation.gradients import compare, steps_above
from unroll.evaluation.measure import Text, layout_of, losses, read_split, total_nats
from unroll.files import replacing, write_json
from unroll.models.folder import Model, load_model
from unroll.tracking import Tracker
from unroll.workspace import Workspace

Metrics = dict[str, float]


def evaluate(workspace: Workspace, runtime: RuntimeConfig, evaluate: EvaluateConfig) -> None:
    """Measure the best weights on every split, the test split's only reader, beside what needs no network."""
    torch.set_num_threads(evaluate.threads)
    model = load_model(workspace.model)
    prepared = open_prepared(workspace.prepared)
    check_data(workspace, model, prepared)
    tracker = Tracker(runtime.tracking, workspace)
    tracker.attach(model.digest)
    (field,) = model.config.inputs
    tokenizer = model.tokenizers[field]
    test = read_split(prepared, field, tokenizer, "test")
    # train/ and val/ are the curves' names in MLflow
    texts = {
        "test/": test,
        "best/val_": read_split(prepared, field, tokenizer, "validation"),
        "best/train_": read_split(prepared, field, tokenizer, "train", evaluate.train_tokens),
    }
    metrics: Metrics = {}
    for prefix, text in texts.items():
        layout = layout_of(text, tokenizer.begin, evaluate.lanes, evaluate.warmup)
        metrics |= losses(total_nats(model.network, field, layout), text, prefix)
    counted = prepared.spec["splits"]["test"]
    metrics["test/unknown_share"] = counted["unknown"] / counted["tokens"]
    metrics |= baselines(prepared, model, field, test, evaluate)
    reaches = reach(model, field, test, evaluate)
    metrics["gradient/steps_above_1_percent"] = steps_above(next(iter(reaches.values())))

    order = f"ngram{evaluate.ngram_order}"
    metrics[f"test/below_{order}"] = 1 - metrics["test/bpc"] / metrics[f"baseline/{order}_bpc"]
    write_json(workspace.metrics / "test.json", metrics)
    plots = workspace.plots
    draw(plots, model, metrics, reaches)
    tracker.metrics(metrics)
    tracker.files(*sorted(plots.glob("*.png")), folder="plots")
    tracker.files(workspace.metrics, folder="metrics")
    tracker.files(workspace.params)
    tracker.finish()
    print(f"evaluate: test loss {metrics['test/loss']:.4f}, {metrics['test/bpc']:.4f} bits per character "
          f"({order} {metrics[f'baseline/{order}_bpc']:.4f}) → {workspace.metrics / 'test.json'} ({tracker.where()})")


def check_data(workspace: Workspace, model: Model, prepared: Prepared) -> None:
    if model.prepared != prepared.digest:
        raise UserError(
            f"{workspace.model}: trained on other data than {workspace.prepared} holds. Run `dvc repro`, or "
            "`unroll train` first."
        )


def baselines(prepared: Prepared, model: Model, field: str, test: Text, settings: EvaluateConfig) -> Metrics:
    """Bits per character of the same test split for methods without a network."""
    tokenizer = model.tokenizers[field]
    train = read_split(prepared, field, tokenizer, "train", settings.baseline_tokens)
    plain, before = (decode(tokenizer, text.tokens, text.offsets).encode() for text in (test, train))
    bits = len(test.tokens) / math.log(2) / test.characters
    ngram = witten_bell(train.tokens, test.tokens, tokenizer.size, settings.ngram_order).mean()
    return {
        "baseline/uniform_bpc": math.log(tokenizer.size) * bits,
        "baseline/unigram_bpc": unigram(train.tokens, test.tokens, tokenizer.size) * bits,
        f"baseline/ngram{settings.ngram_order}_bpc": float(ngram) * bits,
        "baseline/xz_bpc": xz_bits(plain) / test.characters,
        "baseline/xz_after_train_bpc": xz_bits(plain, before) / test.characters,
    }


def reach(model: Model, field: str, test: Text, settings: EvaluateConfig) -> dict[str, np.ndarray]:
    """The gradient's reach on stretches of the test split."""
    steps = min(settings.gradient_reach, len(test.tokens))
    lanes = min(settings.lanes, len(test.tokens) // steps)
    batch = StreamLayout(test.tokens, model.tokenizers[field].begin, lanes, steps).batch(0)
    inputs, targets = ({field: torch.from_numpy(each)} for each in (batch.inputs, batch.targets))
    return compare(model.network, model.config, model.spec, inputs, targets, settings.seed)


def draw(plots: Path, model: Model, metrics: Metrics, reaches: dict[str, np.ndarray]) -> None:
    train, validation = (read_rows(plots / f"{curve}.csv") for curve in ("train", "validation"))
    bits = validation[0]["bpc"] / validation[0]["loss"]
    pictures.curves(train, validation, bits, "character", plots / "curves.png")
    compared = {name.removeprefix("baseline/").removesuffix("_bpc"): value
                for name, value in metrics.items() if name.startswith("baseline/")}
    ours = model.config.core.kind
    pictures.bars({ours: metrics["test/bpc"], **compared}, ours, plots / "baselines.png")
    pictures.gradient_reach(reaches, plots / "gradient_reach.png")
    with replacing(plots / "gradient_reach.csv") as temporary, temporary.open("w", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["network", "steps_back", "gradient"])
        table.writerows([name, k, f"{value:.6e}"] for name, each in reaches.items() for k, value in enumerate(each))


def read_rows(path: Path) -> list[dict[str, float]]:
    with path.open(newline="", encoding="utf-8") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
