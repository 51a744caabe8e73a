"""The next symbol of a text: bits per character beside n-grams and compressors, and how far the gradient reaches."""

import csv
import math
from functools import partial
from pathlib import Path

import numpy as np
import torch

from unroll.base.files import replacing
from unroll.baselines.ngrams import unigram, witten_bell, xz_bits
from unroll.config.evaluate import EvaluateConfig
from unroll.data.batches import Batch, ItemLayout, Layout, StreamLayout
from unroll.data.parts import decode
from unroll.data.source import Split
from unroll.data.store import Prepared
from unroll.data.tokenizers import Tokenizer
from unroll.drawing import evaluation as pictures
from unroll.evaluation.measure import Text, count, losses, read_split
from unroll.evaluation.report import Metrics, Prose, Report
from unroll.evaluation.scored import PREFIXES, layout_of
from unroll.explain.gradients import compare, steps_above
from unroll.models.folder import Model
from unroll.models.outputs import outputs

PROSE = Prose(
    task="predicts the next symbol of a text, and so writes texts",
    limits=(
        "What it writes looks like its data and means nothing: neither facts, nor advice, nor code to run.",
        "It may repeat passages of its data verbatim, to which the licence of the data then applies.",
    ),
    commands="`unroll sample` continues a prompt, `unroll predict` gives the cost of each symbol of a text",
    example='model.generate([""], length=200, temperature=0.7, seed=1)       # a continuation of each prompt',
)


def report(model: Model, prepared: Prepared, name: str, settings: EvaluateConfig) -> Report:
    field = prepared.spec.targets[name].of or name
    tokenizer = model.tokenizers[field]
    needs_all = model.network.whole
    texts = {
        "test": whole(prepared, field, tokenizer, "test", settings, needs_all),
        "validation": whole(prepared, field, tokenizer, "validation", settings, needs_all),
        "train": part(prepared, field, tokenizer, settings, needs_all),
    }
    metrics: Metrics = {}
    for split, prefix in PREFIXES.items():
        text, layout = texts[split]
        metrics |= losses(total_nats(model, name, layout), text, prefix)
    test, counts = texts["test"][0], prepared.spec.splits["test"]
    metrics["test/unknown_share"] = counts.unknown / counts.steps
    metrics |= baselines(prepared, model, field, test, settings)
    reaches = reach(model, prepared, name, field, test, settings)
    if reaches:
        metrics["gradient/steps_above_1_percent"] = steps_above(next(iter(reaches.values())))
    order = f"ngram{settings.ngram_order}"
    metrics[f"test/below_{order}"] = 1 - metrics["test/bpc"] / metrics[f"baseline/{order}_bpc"]
    return Report(metrics, "bpc", "bits per character", False, partial(_draw, reaches), PROSE)


def whole(
    prepared: Prepared, field: str, tokenizer: Tokenizer, split: Split, settings: EvaluateConfig, needs_all: bool
) -> tuple[Text, Layout]:
    """A split, and how it is read; `needs_all`: sequences at once."""
    return read_split(prepared, field, tokenizer, split), layout_of(prepared.sequences(split), settings, needs_all)


def part(
    prepared: Prepared, field: str, tokenizer: Tokenizer, settings: EvaluateConfig, needs_all: bool
) -> tuple[Text, Layout]:
    """About `train_tokens` symbols of the training split, and how they are read."""
    data, tokens = prepared.sequences("train"), prepared.tokens(field, "train")
    layout = layout_of(data, settings, needs_all, settings.train_tokens)
    if isinstance(layout, StreamLayout) and len(tokens) > settings.train_tokens:
        return count(tokenizer, np.concatenate([tokens[stretch] for stretch in layout.stretches()]), None), layout
    return read_split(prepared, field, tokenizer, "train", settings.train_tokens), layout


def total_nats(model: Model, name: str, layout: Layout) -> float:
    """Summed over every symbol once, the state carried along, the weights unchanged (static evaluation)."""
    return sum(output.losses[name] for output in outputs(model.network, layout))


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


def reach(
    model: Model, prepared: Prepared, name: str, field: str, test: Text, settings: EvaluateConfig
) -> dict[str, np.ndarray]:
    """The gradient's reach on stretches of the test split, by network; empty if the core has no recurrence."""
    if not model.network.core.cell.recurrent:
        return {}
    batch = _stretches(model, field, test, settings) if len(model.spec.inputs) == 1 else _longest(prepared, settings)
    inputs = {name: torch.from_numpy(values) for name, values in batch.inputs.items()}
    targets = {name: torch.from_numpy(batch.targets[name])}
    return compare(model.network, model.config, model.spec, inputs, targets, settings.seed)


def _stretches(model: Model, field: str, test: Text, settings: EvaluateConfig) -> Batch:
    """The beginning of each lane, the texts one after another."""
    steps = min(settings.gradient_reach, len(test.tokens))
    lanes = min(settings.lanes, len(test.tokens) // steps)
    stream = Text(test.tokens, None, test.characters, test.bytes).sequences(
        model.spec.model_copy(update={"layout": "stream"}), field
    )
    return StreamLayout(stream, lanes, steps).batch(0)


def _longest(prepared: Prepared, settings: EvaluateConfig) -> Batch:
    """As many steps of the longest sequences, each beside inputs of its own."""
    data = prepared.sequences("test")
    longest = np.argsort(-data.lengths, kind="stable")[: settings.lanes]
    steps = min(settings.gradient_reach, int(data.lengths[longest].min()))
    return ItemLayout(data.only(longest), len(longest), None, steps).batch(0)


def _draw(reaches: dict[str, np.ndarray], folder: Path) -> None:
    if not reaches:
        return
    pictures.gradient_reach(reaches, folder / "gradient_reach.png")
    with replacing(folder / "gradient_reach.csv") as temporary, temporary.open("w", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["network", "steps_back", "gradient"])
        table.writerows([name, k, f"{value:.6e}"] for name, reach in reaches.items() for k, value in enumerate(reach))
