"""A model folder as MLflow loads and serves one, a table in and a table out; MLflow itself is not imported here."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from unroll.base.errors import UserError
from unroll.config.kinds import foreign
from unroll.config.sampling import PYTHON, Setting, settings
from unroll.generation.rows import open_rows
from unroll.generation.text import generator_of
from unroll.models.manifest import STEP, ModelFolder, open_folder
from unroll.prediction.requests import by_name, check_work, first_column, read_params
from unroll.prediction.rows import prompt_of, repeated, rows_table
from unroll.prediction.sequences import SequenceReader

# the packages that open a folder to generate, and to predict
GENERATES = ("filelock", "numpy", "onnxruntime", "outlines_core", "pandas", "pydantic", "pyyaml", "tokenizers")
PREDICTS = ("filelock", "numpy", "onnx", "onnxruntime", "outlines_core", "pandas", "pydantic", "pyyaml", "safetensors",
            "tokenizers", "torch")
DRAWN = ("text", "rows")        # what a served model generates; others predict
TYPES = {"integer": "long", "number": "double", "boolean": "boolean", "string": "string"}    # JSON schema's: MLflow's
FUTURE = "future"       # the column of what is known of the steps ahead, {input: values}


class Generates:
    """A text after each prompt; prompts are the cells of the first column, or of the text's own if there are more."""

    def __init__(self, opened: ModelFolder) -> None:
        self._generator, self._text = generator_of(opened), opened.spec.main
        self._reads = SequenceReader(opened.spec, opened.tokenizers, None)

    def predict(self, data: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        rows = by_name(data) if self._generator.needs else []
        prompts = [row.pop(self._text, "") for row in rows] or first_column(data)
        seed, rules = read_params(params or {})
        for number, prompt in enumerate(prompts, 1):
            if not isinstance(prompt, str):
                raise UserError("wrong-type", f"prompt {number}", f"{prompt!r} is not a text. Give one, or \"\" to "
                                "start from nothing.")
        check_work(len(prompts), rules)
        self._generator.check(rules)
        given = [self._reads.beside(f"row {number}", row, self._generator.needs) for number, row in enumerate(rows, 1)]
        made = self._generator.samples(prompts, rules, seed, given=given or None)
        return pd.DataFrame({"text": [sample.prompt + sample.text for sample in made]})



class Draws:
    """Sequences of several fields after each prompt: a row of the request has the steps of each field, or none.

    The table that `unroll sample` writes.
    """

    def __init__(self, opened: ModelFolder) -> None:
        self._generator, self._opened = open_rows(opened), opened
        self._reads = SequenceReader(opened.spec, opened.tokenizers, None)

    def predict(self, data: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        seed, rules = read_params(params or {})
        rows, spec = by_name(data), self._opened.spec
        check_work(len(rows), rules, len(spec.drawn))
        self._generator.check(rules)
        prompts = []
        for number, row in enumerate(rows, 1):
            begun = {name: row.pop(name) for name in spec.drawn if name in row}
            given = self._reads.beside(f"row {number}", row, self._generator.needs)
            known = {name: values for name, values in begun.items() if hasattr(values, "__len__") and len(values)}
            prompts.append(prompt_of(str(number), known, spec, self._reads, given, f"row {number}"))
        made = self._generator.samples([prompt.rows for prompt in prompts], rules, seed,
                                       given=[prompt.given for prompt in prompts])
        return rows_table(list(made), repeated(prompts, rules.beams), spec, self._opened.tokenizers)


class Predicts:
    """The table that `unroll predict` writes, for the sequences in the first column."""

    def __init__(self, folder: Path) -> None:
        from unroll.prediction.predictor import load  # torch, which only this needs

        self._predictor = load(folder)

    def predict(self, data: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        from unroll.prediction.table import as_table

        given = first_column(data) if len(self._predictor.spec.inputs) == 1 else by_name(data)
        names, spec = [str(at + 1) for at in range(len(given))], self._predictor.spec
        future = None
        if spec.known_ahead and FUTURE not in spec.inputs and any(FUTURE in row for row in given):
            future = [row.pop(FUTURE, None) for row in given]
        return as_table(self._predictor, self._predictor.predict_all(given, names=names, future=future), names)


def open_served(folder: Path) -> Generates | Draws | Predicts:
    """Raises `UserError` when the folder is missing or damaged."""
    opened = open_folder(folder)
    return Generates(opened) if opened.generates == "text" else Draws(opened) if opened.generates == "rows" else \
        Predicts(folder)


def packages(folder: Path) -> tuple[str, ...]:
    """The packages that `open_served` needs, those of kinds from other packages included."""
    from packaging.requirements import Requirement  # where a model is logged; serving does without it

    opened = open_folder(folder)
    ours = GENERATES if opened.generates in DRAWN and (folder / STEP).is_file() else PREDICTS
    needed = {Requirement(line) for entry in foreign(opened.config)
              for line in (entry.dist and entry.dist.requires) or ()}
    names = {package.name for package in needed if package.marker is None or package.marker.evaluate({"extra": ""})}
    return tuple(sorted({*ours, *names} - {"unroll"}))


def signature(folder: Path) -> dict[str, str]:
    """Inputs and parameters as MLflow's JSON: a column for each of several inputs, by name."""
    opened = open_folder(folder)
    spec = opened.spec
    # a column without a name may be a plain list; its cells are checked here, since MLflow would turn numbers into
    # texts, and refuse "arrays of doubles" without a decimal point
    names = ([{"name": name} for name in spec.inputs] if len(spec.inputs) > 1 or opened.generates == "rows"
             else [{}] if spec.inputs[spec.main].kind == "tokens" else [{"name": "sequence"}])
    needed = [{"required": name.get("name") not in spec.drawn, "type": "any", **name} for name in names]
    if spec.known_ahead and FUTURE not in spec.inputs:
        needed.append({"required": False, "type": "any", "name": FUTURE})
    inputs = json.dumps(needed)
    if opened.generates not in DRAWN:
        return {"inputs": inputs}
    params = [{"name": "seed", "type": "long", "default": 1}]
    params += [_parameter(name, setting) for name, setting in settings().items()]
    outputs = {"outputs": json.dumps([{"type": "string", "name": "text"}])} if opened.generates == "text" else {}
    return {"inputs": inputs, **outputs, "params": json.dumps(params)}


def _parameter(name: str, setting: Setting) -> dict[str, Any]:
    """A sampling setting as MLflow describes it."""
    default = PYTHON.defaults[name]
    if setting.kind == "array":
        return {"name": name, "type": "string", "default": list(default), "shape": [-1]}
    return {"name": name, "type": TYPES[setting.kind], "default": default}
