"""A draft → the text of conf/data/NAME.yaml and conf/experiment/NAME.yaml, a comment beside each setting."""

import json
import re
from pathlib import Path
from typing import Any, get_args

import yaml

from unroll.commands.init.draft import Draft
from unroll.config.data import Input

MEANING = {
    "path": "below data/raw/: a file, a folder or a glob",
    "train": "below data/raw/",
    "unit": "stream: one long text; line: short items, one per line",
    "delimiter": "between the cells of CSV",
    "decimal": "of CSV, . or ,",
    "tokenizer": "of inputs of kind tokens or context_tokens",
    "encoding": "any of Python's names",
    "header": "whether the first row holds the columns' names",
    "skip": "lines of CSV before that row",
    "comment": "what lines begin with that are no rows; null: there are none",
    "units": "whether the row below the header holds units",
    "thousands": "what is between the thousands of numbers, as in 1,234.5; null: nothing",
    "sheet": "of a workbook; null: the first",
    "wide": "of a table with a series in each row or column, the columns that are no steps; null: a row is one",
    "arrays": "of each input and target, named without _train and _test",
    "columns": "of each input and target; for recordings, those that are read",
    "outcomes": "below data/raw/: the table with a row a series",
    "channel": "the column that says what was measured",
    "value": "the column of what was measured; null: an event is 1",
    "bin": "width of a step, as times are or such as 30min, 7D; null: a step for each time that occurs",
    "several": "which counts of a channel's values in one step: mean or last",
    "until": "time at which each series ends: later events are not read; null: with its last event",
    "group": "column of the outcomes; series that are equal in it share a split",
    "series": "the column that says which sequence a row belongs to; null: the table is one",
    "time": "the column that orders a sequence's rows, and must rise; null: they come in order",
    "time_format": "of strptime, %q: quarters; epoch s or ms; decimal year; null: ISO 8601, or a number",
    "time_zone": "of times without an offset, whose clocks are set back and forward, such as Europe/Berlin",
    "frequency": "step of the times, as pandas names it: h, 15min, D, B, MS; null: none, or the usual one",
    "gaps": "steps that are missing: ignore, refuse, split (a forecast's series) or fill (see missing)",
    "inputs": f"{', '.join(get_args(Input))}: see docs/tasks.md",
    "targets": "next, class, tag, value, values, labels or forecast: see docs/tasks.md",
    "scale": "standard: to mean 0 and deviation 1 on the training split; none: as it is",
    "missing": "numbers of inputs that are not known: refuse, mask, forward, mean or interpolate; see docs/tasks.md",
    "min_length": "a series of fewer steps is not forecast; null: the fewest that a forecast needs",
    "na_values": "cells that stand for a missing number, beside empty ones, NA and the like",
    "validation": "share that chooses the best weights",
    "test": "share that only `evaluate` reads; null: the data has a test split of its own",
    "seed": "of the hash or the draw that splits",
    "licence": "of the data; kept with the model",
}
FORECAST = {
    "horizon": "steps ahead",
    "context": "steps that the network reads before each forecast",
    "season": "steps of a cycle; 1: none",
    "log": "whether the logarithm is forecast: for positive series whose swings grow with their level; or counts",
    "start": "what a forecast corrects: season, the value a season before; last; better, by validation",
    "window": "what each window is divided by: none; level, its mean size; deviation",
    "stride": "steps between the origins of two training windows",
    "eval_stride": "the same of a series' windows that validation and test score",
    "eval_windows": "the most that either scores, spread evenly over the split; null: all",
}


def data_yaml(draft: Draft, conf: Path) -> str:
    """What is as in the base of its kind, if there is one in `conf`, is left out."""
    lines, kind = [f"# {draft.about}"], draft.data["kind"]
    base = conf / "data" / "base" / f"{kind}.yaml"
    plain = yaml.safe_load(base.read_text(encoding="utf-8")) if base.is_file() else {}
    defaults = [f"  - base@_here_: {kind}     # plain values of what is not named here"] if plain else []
    if draft.tokenizer is not None:
        defaults.append(f"  - tokenizer: {draft.tokenizer}     # char, byte, bpe or word")
    lines += ["defaults:", *defaults, "  - _self_"] if defaults else []
    for name, value in draft.data.items():
        if name in plain and plain[name] == value and type(plain[name]) is type(value):
            continue
        if name == "forecast" and value is not None:
            lines.append("forecast:")
            lines += [_setting(f"  {key}", part, draft.notes.get(key, FORECAST[key])) for key, part in value.items()]
        else:
            lines.append(_setting(name, value, draft.notes.get(name, MEANING.get(name))))
    return "\n".join(lines) + "\n"


def experiment_yaml(draft: Draft, name: str) -> str:
    lines = ["# @package _global_", f"# {draft.about}", "defaults:"]
    groups = {"data": name, "task": draft.task, "model": "lstm", "train": draft.train}
    meaning = {"model": "or gru, rnn, cnn, mlp: unroll sweep compares them"}
    lines += [_setting(f"  - override /{group}", file, meaning.get(group)) for group, file in groups.items()]
    for section, values in draft.overrides.items():
        lines.append(f"{section}:")
        lines += _settings(values, draft.notes, "  ")
    return "\n".join(lines) + "\n"


def _settings(values: dict[str, Any], notes: dict[str, str], margin: str) -> list[str]:
    """A line for each; what holds sections of its own, such as encoders by their names, is a block."""
    lines = []
    for key, value in values.items():
        if isinstance(value, dict) and all(isinstance(part, dict) for part in value.values()):
            lines += [f"{margin}{key}:", *_settings(value, notes, f"{margin}  ")]
        else:
            lines.append(_setting(f"{margin}{key}", value, notes.get(key)))
    return lines


def _setting(name: str, value: Any, meaning: str | None) -> str:
    text = f"{name}: {flow(value)}"
    return f"{text:<39} # {meaning}" if meaning else text


def flow(value: Any) -> str:
    """YAML on one line, the same to YAML 1.1, to Hydra and to a reader."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow(key)}: {flow(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, str):
        # what starts with a letter may still be a word for true, or a number to Hydra
        plain = re.fullmatch(r"[A-Za-z_/][\w./-]*( [\w./-]+)*", value, re.ASCII) and yaml.safe_load(value) == value
        escaped = value.replace("${", "\\${")       # no reference to another setting
        return value if plain and value.lower() not in ("nan", "inf", "infinity") else json.dumps(
            escaped, ensure_ascii=False)
    text = json.dumps(value)
    return text.replace("e", ".0e") if isinstance(value, float) and "." not in text else text   # 1e-06 is text to YAML
