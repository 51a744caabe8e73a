"""The card of a model: what it is, of which data, how good, what it is not for. Equal models have equal cards."""

from collections.abc import Mapping
from typing import Any

from unroll.config.model import ModelConfig

CELLS = {"rnn": "an RNN", "lstm": "an LSTM", "gru": "a GRU", "mlp": "a perceptron on a window (MLP)",
         "cnn": "a convolutional network (CNN)"}
# by the kind of head: what it does, what its loss is in, how it is asked, what it is not for
TASKS = {
    "next_token": "says which symbol of a text comes next, and so writes texts",
    "classification": "names the class of each {per}",
    "labels": "says which labels are on at each step",
    "regression": "gives a value for each {per}",
    "forecast": "forecasts the next {horizon} steps of a series, with intervals",
}
LOSSES = {
    "next_token": "nats a symbol", "classification": "nats a {per}", "labels": "nats a step, summed over labels",
    "regression": "squared error in units of the target's scale", "forecast": "in scaled units",
}
LIMITS = {
    "next_token": [
        "What it writes looks like its data and means nothing: neither facts, nor advice, nor code to run.",
        "It may repeat stretches of its data word for word; the licence of the data then speaks of them, too.",
    ],
    "classification": [
        "It names one of its classes whatever it is given, also where none of them fits.",
        "Its probabilities are what training left them; check how often they hold before relying on them.",
    ],
    "labels": ["Its probabilities are what training left them; check how often they hold before relying on them."],
    "regression": ["Far from the values that it was trained on its answers are guesses."],
    "forecast": [
        "It supposes that the series goes on as it went, and knows no event that would change it.",
        "Its intervals are as wide as its past errors: the future may be wilder.",
    ],
}
ALL = ["Its figures hold for data of the same source; of any other they say nothing until they are measured there.",
       "Nobody has looked at what it does to people: not for decisions about them."]


def card(config: ModelConfig, spec: Mapping[str, Any], parameters: int, figures: Mapping[str, float]) -> str:
    """Markdown. `figures` are the training's, named as in metrics/train.json; of an untrained model there are none."""
    (name, head), *_ = config.heads.items()
    per, source = spec["targets"][name]["per"], spec["source"]
    cell = CELLS[config.core.kind]
    if getattr(config.core, "bidirectional", False):
        cell = f"a bidirectional {cell.split()[1]}"
    layers = f"{config.core.num_layers} layer{'s' if config.core.num_layers > 1 else ''}"
    rows = {
        "task": f"`{head.kind}`, target `{name}`{_classes(spec['targets'][name])}",
        "core": f"`{config.core.kind}`, {layers} of {config.core.hidden_size} units",
        "parameters": f"{parameters:,}",
        "data": _plain(source["name"]),
        "licence of the data": _plain(source["licence"]),
        "SHA-256 of the data": f"`{source['sha256']}`",
        **{split: _size(spec, split) for split in ("train", "validation", "test")},
        **_validation(head.kind, per, figures),
    }
    table = "\n".join(f"| {left} | {right} |" for left, right in rows.items())
    limits = "\n".join(f"- {each}" for each in [*LIMITS[head.kind], *ALL])
    horizon = (spec["data"].get("forecast") or {}).get("horizon")
    return f"""# {config.core.kind.upper()}, trained on {_plain(source["name"])}

It {TASKS[head.kind].format(per=per, horizon=horizon)}: {cell} of {layers}, made by `unroll`.

| | |
|---|---|
{table}

## Use

```python
import unroll
model = unroll.load("artifacts/model")
{_example(head.kind, spec)}
```

{_doors(head.kind)}

## Limits

{limits}

## Made

`dvc repro` makes it from the data and `params.yaml`: on one type of CPU the same bytes each time, which `unroll verify`
checks. `model.json` has the whole configuration and every file's SHA-256. The figures of the test split, beside
those of simple methods, are in `metrics/test.json`.
"""


def measured(unit: str, ours: str, figures: Mapping[str, float], higher_is_better: bool) -> str:
    """The test split's figures as a Markdown table, the best first; `ours` is the model's name among them."""
    ranked = sorted(figures.items(), key=lambda pair: pair[1], reverse=higher_is_better)
    rows = [f"| **{name}** | **{value:.4f}** |" if name == ours else f"| {name} | {value:.4f} |"
            for name, value in ranked]
    better = "higher" if higher_is_better else "lower"
    return "\n".join([f"## Measured\n\n| test split, {better} is better | {unit} |\n|---|---|", *rows]) + "\n"


def _size(spec: Mapping[str, Any], split: str) -> str:
    counts = spec["splits"][split]
    steps = "symbols" if any(each["kind"] == "tokens" for each in spec["inputs"].values()) else "steps"
    items = counts["items"]
    sequences = "" if spec["layout"] == "stream" else f"{items:,} sequence{'s' if items > 1 else ''}, "
    return f"{sequences}{counts['steps']:,} {steps}"


def _validation(kind: str, per: str, figures: Mapping[str, float]) -> dict[str, str]:
    if not figures:
        return {"trained": "no"}
    bits = f"; {figures['val/best_bpc']:.4f} bits per character" if "val/best_bpc" in figures else ""
    return {"validation loss": f"{figures['val/best_loss']:.4f} {LOSSES[kind].format(per=per)}{bits}",
            "trained": f"{figures['train/steps']:,} steps; these are the weights of step "
                       f"{figures['train/best_step']:,}, the best on the validation split"}


def _classes(target: Mapping[str, Any]) -> str:
    names = target.get("classes", [])
    more = f" and {len(names) - 10:,} more" if len(names) > 10 else ""
    return f": {', '.join(_plain(name)[:30] for name in names[:10])}{more}" if names else ""


def _example(kind: str, spec: Mapping[str, Any]) -> str:
    if kind == "next_token":
        return 'model.generate([""], length=200, temperature=0.7, seed=1)       # a text after each prompt'
    text = next(iter(spec["inputs"].values()))["kind"] == "tokens"
    return f"model.predict([x1, x2])     # {'texts' if text else 'arrays (T, F), a row a step'}"


def _doors(kind: str) -> str:
    if kind == "next_token":
        what = "`unroll sample` goes on after a prompt, `unroll predict` says what each symbol of a text cost"
    else:
        what = "`unroll predict new.csv -o out.csv` writes a table of predictions"
    return f"{what}.\nMLflow registers it, loads it with `mlflow.pyfunc.load_model` and serves it with " \
           "`mlflow models serve`:\n`docs/tracking.md` in its repository."


def _plain(text: str) -> str:
    """A user's words, in a cell of a table."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
