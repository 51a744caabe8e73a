"""The card of a model: what it is, which data it was trained on, how good it is, what it is not for.

Equal models have equal cards.
"""

from collections.abc import Mapping

from unroll.config.model import ModelConfig
from unroll.data.source import SPLITS, Split
from unroll.data.spec import Spec, TargetSpec
from unroll.evaluation.comparison import Comparison
from unroll.evaluation.report import Prose

LIMITS = (      # of every task
    "Its figures hold for data of the same source; measure it again on any other data.",
    "Its effects on people have not been examined: not for decisions about them.",
)


def card(
    config: ModelConfig, spec: Spec, prose: Prose, training: Mapping[str, float], comparison: Comparison
) -> str:
    """Markdown; `training` are the figures of metrics/train.json."""
    (name, head), *_ = config.heads.items()
    target, source = spec.targets[name], spec.source
    kind = config.core.kind.upper()
    per = {"per": target.per, "horizon": 0 if spec.forecast is None else spec.forecast.horizon}
    text = next(iter(spec.inputs.values())).kind == "tokens"
    rows: dict[str, str] = {
        "task": f"`{head.kind}`, target `{name}`{_classes(target)}",
        "core": f"`{config.core.kind}`, {_core(config)}",
        "parameters": f"{int(training['model/parameters']):,}",
        "data": _escaped(source.name),
        "licence of the data": _escaped(source.licence),
        "SHA-256 of the data": f"`{source.sha256}`",
        **{str(split): _size(spec, split) for split in SPLITS},
        "validation loss": _validation(head.unit.format(**per), training),
        "trained": f"{training['train/steps']:,} steps; these are the weights of step {training['train/best_step']:,}, "
                   "the best on the validation split",
    }
    table = "\n".join(f"| {left} | {right} |" for left, right in rows.items())
    limits = "\n".join(f"- {limit}" for limit in (*prose.limits, *LIMITS))
    return f"""# {kind}, trained on {_escaped(source.name)}

The model {prose.task.format(**per)}. Test split: {comparison.model:.4f} {comparison.unit}.

| | |
|---|---|
{table}

## Test split

{_compared(kind, comparison)}

## Use

```python
import unroll
model = unroll.load("artifacts/model")
{prose.example.format(values="texts" if text else "arrays (T, F), one row per step")}
```

{prose.commands}.
MLflow registers it, loads it with `mlflow.pyfunc.load_model` and serves it with `mlflow models serve`:
`docs/tracking.md` in its repository.

## Limits

{limits}

## Reproducing it

`dvc repro` makes the model from the data and `params.yaml`: the same bytes each time on one type of CPU, which
`unroll verify` checks. `model.json` in the model folder has the whole configuration and every file's SHA-256.
"""


def _core(config: ModelConfig) -> str:
    layers = f"{config.core.num_layers} layer{'s' if config.core.num_layers > 1 else ''}"
    both = ", bidirectional" if getattr(config.core, "bidirectional", False) else ""
    return f"{layers} of {config.core.hidden_size} units{both}"


def _compared(model: str, comparison: Comparison) -> str:
    rows = [f"| **{name}** | **{value:.4f}** |" if name == model else f"| {name} | {value:.4f} |"
            for name, value in comparison.ranked(model)]
    return "\n".join([f"| {comparison.better} is better | {comparison.unit} |", "|---|---|", *rows])


def _size(spec: Spec, split: Split) -> str:
    counts = spec.splits[split]
    steps = "symbols" if any(field.kind == "tokens" for field in spec.inputs.values()) else "steps"
    many = "s" if counts.sequences > 1 else ""
    sequences = "" if spec.layout == "stream" else f"{counts.sequences:,} sequence{many}, "
    return f"{sequences}{counts.steps:,} {steps}"


def _validation(unit: str, training: Mapping[str, float]) -> str:
    bits = f"; {training['val/best_bpc']:.4f} bits per character" if "val/best_bpc" in training else ""
    return f"{training['val/best_loss']:.4f} {unit}{bits}"


def _classes(target: TargetSpec) -> str:
    names = target.classes or ()
    more = f" and {len(names) - 10:,} more" if len(names) > 10 else ""
    return f": {', '.join(_escaped(name)[:30] for name in names[:10])}{more}" if names else ""


def _escaped(text: str) -> str:
    """A user's words as they may stand in a cell of a Markdown table."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
