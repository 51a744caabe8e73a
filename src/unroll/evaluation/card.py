"""The card of a model: what it is, which data it was trained on, how good it is, what it is not for.

Equal models have equal cards.
"""

from collections.abc import Mapping

from unroll.config.model import ModelConfig
from unroll.data.source import SPLITS, Split
from unroll.data.spec import InputSpec, Spec, TargetSpec
from unroll.evaluation.comparison import Comparison
from unroll.evaluation.report import Prose

LIMITS = (      # of every task
    "Its figures hold for data of the same source; measure it again on any other data.",
    "Its effects on people have not been examined: not for decisions about them.",
)


def card(
    config: ModelConfig, spec: Spec, prose: Mapping[str, Prose], training: Mapping[str, float],
    comparisons: Mapping[str, Comparison],
) -> str:
    """Markdown; `training` are the figures of metrics/train.json, prose and comparisons are by target."""
    source, kind = spec.source, config.core.kind.upper()
    pers = {name: {"per": spec.targets[name].per, "horizon": 0 if spec.forecast is None else spec.forecast.horizon}
            for name in config.heads}
    text = spec.inputs[spec.main].kind == "tokens"
    tasks = [prose[name].task.format(**pers[name]) for name in config.heads]
    results = [f"{comparison.model:.4f} {comparison.unit}" + (f" ({name})" if len(comparisons) > 1 else "")
               for name, comparison in comparisons.items()]
    several = len(spec.inputs) > 1
    inputs = {"inputs": ", ".join(f"`{name}` ({_input(field)})" for name, field in spec.inputs.items())}
    rows: dict[str, str] = {
        **(inputs if several else {}),
        **{"task" if len(config.heads) == 1 else f"task `{name}`":
           f"`{head.kind}`, target `{name}`{_classes(spec.targets[name])}" for name, head in config.heads.items()},
        "core": f"`{config.core.kind}`, {_core(config)}",
        "parameters": f"{int(training['model/parameters']):,}",
        "data": _escaped(source.name),
        "licence of the data": _escaped(source.licence),
        "SHA-256 of the data": f"`{source.sha256}`",
        **{str(split): _size(spec, split) for split in SPLITS},
        "validation loss": _validation({head.unit.format(**pers[name]) for name, head in config.heads.items()},
                                       training),
        "trained": f"{training['train/steps']:,} steps; these are the weights of step {training['train/best_step']:,}, "
                   "the best on the validation split",
    }
    tables = "\n\n".join((f"Target `{name}`:\n\n" if len(comparisons) > 1 else "") + _compared(kind, comparison)
                         + _found(prose[name].found) for name, comparison in comparisons.items())
    table = "\n".join(f"| {left} | {right} |" for left, right in rows.items())
    limits = "\n".join(f"- {limit}" for limit in dict.fromkeys(
        (*(limit for own in prose.values() for limit in own.limits), *LIMITS)))
    values = "texts" if text else "arrays (T, F), one row per step"
    example = _by_name(spec) if several else next(iter(prose.values())).example.format(values=values)
    if spec.drawn:
        example += '\nmodel.generate([""] * 3, length=50)     # sequences {field: values}, from nothing'
    commands = ". ".join(dict.fromkeys(own.commands for own in prose.values()))
    return f"""# {kind}, trained on {_escaped(source.name)}

The model {"; it ".join(tasks)}. Test split: {", ".join(results)}.

| | |
|---|---|
{table}

## Test split

{tables}

## Use

```python
import unroll
model = unroll.load("artifacts/model")
{example}
```

{commands}.
MLflow registers it, loads it with `mlflow.pyfunc.load_model` and serves it with `mlflow models serve`:
`docs/tracking.md` in its repository.

## Limits

{limits}

## Reproducing it

`dvc repro` makes the model from the data and `params.yaml`: the same bytes each time on one type of CPU, which
`unroll verify` checks. `model.json` in the model folder has the whole configuration and every file's SHA-256.
"""


def _input(field: InputSpec) -> str:
    one, many = {"tokens": ("symbol", "symbols"), "real": ("number", "numbers"),
                 "categories": ("category", "categories")}[field.kind]
    per = {"step": "a step", "sequence": "a sequence", "own": "a step of another sequence"}[field.per]
    return f"{field.width} {one if field.width == 1 else many} {per}"


def _by_name(spec: Spec) -> str:
    """How several inputs are given."""
    values = {name: '"…"' if field.kind == "tokens" else "[…]" for name, field in spec.inputs.items()}
    sequence = ", ".join(f'"{name}": {value}' for name, value in values.items())
    return f"model.predict([{{{sequence}}}])     # a row per step, or one of the sequence"


def _core(config: ModelConfig) -> str:
    layers = f"{config.core.num_layers} layer{'s' if config.core.num_layers > 1 else ''}"
    both = ", bidirectional" if getattr(config.core, "bidirectional", False) else ""
    return f"{layers} of {config.core.hidden_size} units{both}"


def _compared(model: str, comparison: Comparison) -> str:
    rows = [f"| **{name}** | **{value:.4f}** |" if name == model else f"| {name} | {value:.4f} |"
            for name, value in comparison.ranked(model)]
    return "\n".join([f"| {comparison.better} is better | {comparison.unit} |", "|---|---|", *rows])


def _found(clauses: tuple[str, ...]) -> str:
    return "".join(f"\n{'' if at else chr(10)}- {clause[0].upper()}{clause[1:]}." for at, clause in enumerate(clauses))


def _size(spec: Spec, split: Split) -> str:
    counts = spec.splits[split]
    steps = "symbols" if spec.inputs[spec.main].kind == "tokens" else "steps"
    many = "s" if counts.sequences > 1 else ""
    sequences = "" if spec.layout == "stream" else f"{counts.sequences:,} sequence{many}, "
    return f"{sequences}{counts.steps:,} {steps}"


def _validation(units: set[str], training: Mapping[str, float]) -> str:
    unit = units.pop() if len(units) == 1 else "in all, each target by its weight"
    bits = f"; {training['val/best_bpc']:.4f} bits per character" if "val/best_bpc" in training else ""
    return f"{training['val/best_loss']:.4f} {unit}{bits}"


def _classes(target: TargetSpec) -> str:
    names = target.classes or ()
    more = f" and {len(names) - 10:,} more" if len(names) > 10 else ""
    return f": {', '.join(_escaped(name)[:30] for name in names[:10])}{more}" if names else ""


def _escaped(text: str) -> str:
    """A user's words as they may stand in a cell of a Markdown table."""
    return " ".join(text.split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")
