"""A model folder as MLflow loads and serves one, a table in and a table out; MLflow itself is not imported here."""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

import unroll
from unroll.base.errors import UserError, nearest
from unroll.base.extensions import code
from unroll.config.kinds import foreign
from unroll.config.sampling import PYTHON, Sampling, Setting, check_seed, sampling, settings
from unroll.generation.text import generator_of
from unroll.models.manifest import STEP, ModelFolder, open_folder
from unroll.prediction.sequences import SequenceReader

# the packages that open a folder to generate, and to predict
GENERATES = ("filelock", "numpy", "onnxruntime", "outlines_core", "pandas", "pydantic", "pyyaml", "tokenizers")
PREDICTS = ("filelock", "numpy", "onnx", "onnxruntime", "outlines_core", "pandas", "pydantic", "pyyaml", "safetensors",
            "tokenizers", "torch")
COMPILED = (".so", ".pyd", ".dylib", ".dll")
TYPES = {"integer": "long", "number": "double", "boolean": "boolean", "string": "string"}    # JSON schema's: MLflow's
TABLES = ("inputs", "instances", "dataframe_records", "dataframe_split")       # a request holds one of them
SYMBOLS = 1_000_000     # per request, so that it is answered in seconds and does not block others for long
LENGTH = 10_000         # of one text, whose symbols are drawn one after another
STOPS = 200             # characters of all stop strings, each of which is searched for after every symbol


class Generates:
    """A text after each prompt; prompts are the cells of the first column, or of the text's own if there are more."""

    def __init__(self, opened: ModelFolder) -> None:
        self._generator, self._text = generator_of(opened), opened.spec.main
        self._reads = SequenceReader(opened.spec, opened.tokenizers, None)

    def predict(self, data: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        rows = _by_name(data) if self._generator.needs else []
        prompts = [row.pop(self._text, "") for row in rows] or _first_column(data)
        seed, rules = read_params(params or {})
        for number, prompt in enumerate(prompts, 1):
            if not isinstance(prompt, str):
                raise UserError("wrong-type", f"prompt {number}", f"{prompt!r} is not a text. Give one, or \"\" to "
                                "start from nothing.")
        self._check(len(prompts), rules)
        given = [self._reads.beside(f"row {number}", row, self._generator.needs) for number, row in enumerate(rows, 1)]
        made = self._generator.samples(prompts, rules, seed, given=given or None)
        return pd.DataFrame({"text": [sample.prompt + sample.text for sample in made]})

    def _check(self, prompts: int, rules: Sampling) -> None:
        """Raises `UserError` on requests that would take too long."""
        if rules.length is None or rules.length > LENGTH:
            raise UserError("too-large", "length", f"a request may ask for texts of {LENGTH:,} symbols at most. Ask "
                            "for fewer.")
        if prompts * rules.beams * rules.length > SYMBOLS:
            raise UserError("too-large", "length", f"prompts × beams × length is more than the {SYMBOLS:,} symbols "
                            "that one request may ask for. Ask for fewer.")
        if sum(map(len, rules.stop)) > STOPS:
            raise UserError("too-large", "stop", f"more than {STOPS} characters in all. Give fewer or shorter strings.")
        self._generator.check(rules)


class Predicts:
    """The table that `unroll predict` writes, for the sequences in the first column."""

    def __init__(self, folder: Path) -> None:
        from unroll.prediction.predictor import load  # torch, which only this needs

        self._predictor = load(folder)

    def predict(self, data: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        from unroll.prediction.table import as_table

        given = _first_column(data) if len(self._predictor.spec.inputs) == 1 else _by_name(data)
        return as_table(self._predictor, self._predictor.predict_all(given), [str(at + 1) for at in range(len(given))])


def open_served(folder: Path) -> Generates | Predicts:
    """Raises `UserError` when the folder is missing or damaged."""
    opened = open_folder(folder)
    return Generates(opened) if opened.generates == "text" else Predicts(folder)


def packages(folder: Path) -> tuple[str, ...]:
    """The packages that `open_served` needs, those of kinds from other packages included."""
    from packaging.requirements import Requirement  # where a model is logged; serving does without it

    opened = open_folder(folder)
    ours = GENERATES if opened.generates == "text" and (folder / STEP).is_file() else PREDICTS
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
    names = ([{"name": name} for name in spec.inputs] if len(spec.inputs) > 1
             else [{}] if spec.inputs[spec.main].kind == "tokens" else [{"name": "sequence"}])
    inputs = json.dumps([{"required": True, "type": "any", **name} for name in names])
    if opened.generates != "text":
        return {"inputs": inputs}
    params = [{"name": "seed", "type": "long", "default": 1}]
    params += [_parameter(name, setting) for name, setting in settings().items()]
    return {"inputs": inputs, "outputs": json.dumps([{"type": "string", "name": "text"}]), "params": json.dumps(params)}


def read_request(content: bytes, generates: bool) -> dict[str, Any]:
    """The JSON body of a request, before MLflow makes a table of it; raises `UserError` on one that it cannot."""
    try:
        body = json.loads(content)
        json.dumps(body, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise UserError("unreadable", "body", "half a surrogate pair is not a character. Leave it out.") from None
    except RecursionError:
        raise UserError("unreadable", "body", "brackets are nested too deeply. Give texts, or lists of numbers.") \
            from None
    except ValueError as error:
        raise UserError("unreadable", "body", f"not JSON ({error}). Send an object with inputs.") from None
    if not isinstance(body, dict):
        raise UserError("wrong-type", "body", 'not an object. Send {"inputs": […]}.')
    for name in body:
        if name not in (*TABLES, "params"):
            raise UserError("unknown-name", "body", f'unknown {name!r}; {nearest(name, (*TABLES, "params"))}')
    if len(body.keys() & set(TABLES)) != 1:
        raise UserError("missing-value", "body", f"not one of {', '.join(TABLES)}. Send one of them.")
    params = body.get("params") or {}
    if not isinstance(params, dict):
        raise UserError("wrong-type", "params", f'{params!r} is not an object. Send {{"seed": 1}}, say.')
    if params and not generates:
        raise UserError("no-effect", "params", "the model takes none. Leave them out.")
    read_params(params)     # MLflow would drop those that it does not know
    return body


def read_params(given: Mapping[str, Any]) -> tuple[int, Sampling]:
    """The seed and the sampling settings; raises `UserError` on unknown names and on values that are not allowed."""
    rest = dict(given)
    return check_seed(rest.pop("seed", 1)), sampling(**rest)


def write_code(path: Path, folder: Path) -> None:
    """An archive to import from: this package, and those that the model's own kinds come from.

    The same code is the same bytes. Raises `UserError` when an archive cannot carry it.
    """
    package = Path(unroll.__file__).parent
    files = {file.relative_to(package.parent).as_posix(): file.read_bytes() for file in package.rglob("*.py")}
    files |= foreign_code(folder)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)


def foreign_code(folder: Path) -> dict[str, bytes]:
    """The code of other packages that a model is made of, and what says that it is installed, by name."""
    files: dict[str, bytes] = {}
    for entry in foreign(open_folder(folder).config):
        for name, path in code(entry).items():
            if path.suffix in COMPILED:
                raise UserError("extension", f"{entry.group}:{entry.name}", f"its package has compiled code ({name}), "
                                "which the archive that MLflow imports from cannot carry.")
            files[name] = path.read_bytes()
        assert entry.dist is not None
        for name in ("METADATA", "entry_points.txt"):
            folder_name = f"{entry.dist.name}-{entry.dist.version}.dist-info"
            files[f"{folder_name}/{name}"] = (entry.dist.read_text(name) or "").encode()
    return files


def _parameter(name: str, setting: Setting) -> dict[str, Any]:
    """A sampling setting as MLflow describes it."""
    default = PYTHON.defaults[name]
    if setting.kind == "array":
        return {"name": name, "type": "string", "default": list(default), "shape": [-1]}
    return {"name": name, "type": TYPES[setting.kind], "default": default}


def _by_name(data: pd.DataFrame) -> list[dict[str, Any]]:
    """A sequence for each row, its inputs by name."""
    if not len(data):
        raise UserError("empty", "inputs", "no sequences. Give at least one.")
    return [{str(name): value for name, value in row.items()} for row in data.to_dict("records")]


def _first_column(data: pd.DataFrame) -> list[Any]:
    if not len(data):
        raise UserError("empty", "inputs", "no sequences. Give at least one.")
    return list(data.iloc[:, 0])
