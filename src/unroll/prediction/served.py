"""A model folder as MLflow loads and serves one, a table in and a table out; MLflow itself is not imported here."""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

import unroll
from unroll.base.errors import UserError, nearest
from unroll.config.sampling import PYTHON, Sampling, Setting, check_seed, sampling, settings
from unroll.generation.text import generator_of
from unroll.models.described import Opened, open_folder

# what opens a folder: to generate, and to predict
GENERATES = ("filelock", "numpy", "onnxruntime", "outlines_core", "pandas", "pydantic", "pyyaml", "tokenizers")
PREDICTS = ("filelock", "numpy", "onnx", "onnxruntime", "outlines_core", "pandas", "pydantic", "pyyaml", "safetensors",
            "tokenizers", "torch")
TYPES = {"integer": "long", "number": "double", "boolean": "boolean", "string": "string"}    # JSON schema's: MLflow's
TABLES = ("inputs", "instances", "dataframe_records", "dataframe_split")       # of which a request holds one
SYMBOLS = 1_000_000     # that one request may ask for, so that it is answered in seconds, and holds none up for long
LENGTH = 10_000         # of one text, whose symbols come one after another
STOPS = 200             # characters of all stop strings, each of which is looked for after every symbol


class Generates:
    """A text after each prompt, the cells of the first column."""

    def __init__(self, opened: Opened) -> None:
        self._generator = generator_of(opened)

    def predict(self, data: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        prompts = _first_column(data)
        seed, rules = read_params(params or {})
        for number, prompt in enumerate(prompts, 1):
            if not isinstance(prompt, str):
                raise UserError(f"prompt {number}: {prompt!r} is no text. Give one, or \"\" to start from nothing.")
        self._check(len(prompts), rules)
        made = self._generator.samples(prompts, rules, seed)
        return pd.DataFrame({"text": [sample.prompt + sample.text for sample in made]})

    def _check(self, prompts: int, rules: Sampling) -> None:
        """Raises `UserError` on what would take for ever."""
        if rules.length is None or rules.length > LENGTH:
            raise UserError(f"length: a request may ask for texts of {LENGTH:,} symbols at most. Ask for fewer.")
        if prompts * rules.beams * rules.length > SYMBOLS:
            raise UserError(f"length: prompts × beams × length is more than {SYMBOLS:,} symbols, all that one request "
                            "may ask for. Ask for fewer.")
        if sum(map(len, rules.stop)) > STOPS:
            raise UserError(f"stop: more than {STOPS} characters in all. Give fewer or shorter strings.")
        self._generator.check(rules)


class Predicts:
    """The table that `unroll predict` writes, of the sequences that the first column holds."""

    def __init__(self, folder: Path) -> None:
        from unroll.prediction.predictor import load  # torch, which only this needs

        self._predictor = load(folder)

    def predict(self, data: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        from unroll.prediction.table import as_table

        given = _first_column(data)
        return as_table(self._predictor, self._predictor.predict(given), [str(at + 1) for at in range(len(given))])


def open_served(folder: Path) -> Generates | Predicts:
    """Raises `UserError` when the folder is missing or damaged."""
    opened = open_folder(folder)
    return Generates(opened) if opened.writes == "text" else Predicts(folder)


def packages(folder: Path) -> tuple[str, ...]:
    """Those that `open_served` needs."""
    return GENERATES if open_folder(folder).writes == "text" else PREDICTS


def signature(folder: Path) -> dict[str, str] | None:
    """What goes in, and what may be set, as MLflow's JSON; None of a model with several inputs, which is not served."""
    opened = open_folder(folder)
    spec = opened.spec
    if len(spec.inputs) > 1 or len(spec.targets) > 1:
        return None
    (field,) = spec.inputs.values()
    # a column without a name may be a plain list; what is in it is looked at here, since MLflow would make texts of
    # numbers, and refuse "arrays of doubles" that have no decimal point
    name = {} if field.kind == "tokens" else {"name": "sequence"}
    inputs = json.dumps([{"required": True, "type": "any", **name}])
    if opened.writes != "text":
        return {"inputs": inputs}
    params = [{"name": "seed", "type": "long", "default": 1}]
    params += [_parameter(name, setting) for name, setting in settings().items()]
    return {"inputs": inputs, "outputs": json.dumps([{"type": "string", "name": "text"}]), "params": json.dumps(params)}


def read_request(content: bytes, generates: bool) -> dict[str, Any]:
    """The body of a request, JSON, before MLflow makes a table of it; raises `UserError` on what is none."""
    try:
        body = json.loads(content)
        json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise UserError("body: half a surrogate pair is no character. Leave it out.") from None
    except RecursionError:
        raise UserError("body: too many brackets in each other. Give texts, or lists of numbers.") from None
    except ValueError as error:
        raise UserError(f"body: not JSON ({error}). Send an object with inputs.") from None
    if not isinstance(body, dict):
        raise UserError('body: not an object. Send {"inputs": […]}.')
    for name in body:
        if name not in (*TABLES, "params"):
            raise UserError(f'body: {name!r} is nothing that is read; {nearest(name, (*TABLES, "params"))}')
    if len(body.keys() & set(TABLES)) != 1:
        raise UserError(f"body: not one of {', '.join(TABLES)}. Send one of them.")
    params = body.get("params") or {}
    if not isinstance(params, dict):
        raise UserError(f'params: {params!r} is no object. Send {{"seed": 1}}, say.')
    if params and not generates:
        raise UserError("params: the model takes none. Leave them out.")
    read_params(params)     # MLflow leaves out those that it does not know
    return body


def read_params(given: Mapping[str, Any]) -> tuple[int, Sampling]:
    """The seed and the rest; raises `UserError` on a name, a type or a value that is none."""
    rest = dict(given)
    return check_seed(rest.pop("seed", 1)), sampling(**rest)


def write_code(path: Path) -> None:
    """This package, as an archive that Python imports from; the same code is the same bytes."""
    package = Path(unroll.__file__).parent
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(package.rglob("*.py")):
            archive.writestr(zipfile.ZipInfo(file.relative_to(package.parent).as_posix()), file.read_bytes(),
                             zipfile.ZIP_DEFLATED)


def _parameter(name: str, setting: Setting) -> dict[str, Any]:
    """A sampling setting as MLflow describes it."""
    default = PYTHON.defaults[name]
    if setting.kind == "array":
        return {"name": name, "type": "string", "default": list(default), "shape": [-1]}
    return {"name": name, "type": TYPES[setting.kind], "default": default}


def _first_column(data: pd.DataFrame) -> list[Any]:
    if not len(data):
        raise UserError("inputs: empty. Give one at least.")
    return list(data.iloc[:, 0])
