"""A model folder as MLflow loads and serves one, a table in and a table out; MLflow itself is not imported here."""

import json
import zipfile
from collections.abc import Mapping
from dataclasses import Field, fields
from pathlib import Path
from typing import Any, get_args

import pandas as pd

import unroll
from unroll.prediction.predictor import Predictor, load
from unroll.prediction.table import as_table
from unroll.sampling.settings import Settings

PACKAGES = ("numpy", "onnx", "onnxruntime", "outlines_core", "pandas",
            "pydantic", "pyyaml", "safetensors", "tokenizers", "torch")      # what opens a folder
TYPES = {int: "long", float: "double", bool: "boolean", str: "string"}


class Served:
    """Generates after each prompt, or predicts each sequence: the cells of the first column."""

    def __init__(self, predictor: Predictor) -> None:
        self.predictor = predictor

    def predict(self, data: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:
        """A row a prompt, or the table that `unroll predict` writes."""
        given = list(data.iloc[:, 0])
        if self.predictor.kind == "next_token":
            return pd.DataFrame({"text": self.predictor.generate(given, **(params or {}))})
        return as_table(self.predictor, self.predictor.predict(given), [str(at + 1) for at in range(len(given))])


def _load_pyfunc(folder: str) -> Served:
    """What MLflow calls, by this name."""
    return Served(load(folder))


def signature(folder: Path) -> dict[str, str] | None:
    """What goes in, and what may be set, as MLflow's JSON; None of a model with several inputs, which is not served."""
    described = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    if len(described["spec"]["inputs"]) > 1 or len(described["spec"]["targets"]) > 1:
        return None
    (field,), (head,) = described["spec"]["inputs"].values(), described["architecture"]["heads"].values()
    # a column without a name may be a plain list; of "arrays of doubles" MLflow would refuse what has no decimal point
    given = {"type": "string"} if field["kind"] == "tokens" else {"type": "any", "name": "sequence"}
    inputs = json.dumps([{"required": True, **given}])
    if head["kind"] != "next_token":
        return {"inputs": inputs}
    params = [{"name": "seed", "type": "long", "default": 1}, *map(_parameter, fields(Settings))]
    return {"inputs": inputs, "outputs": json.dumps([{"type": "string", "name": "text"}]), "params": json.dumps(params)}


def _parameter(field: "Field[Any]") -> dict[str, Any]:
    """A setting of a sample, as MLflow describes one."""
    if field.name == "stop":
        return {"name": "stop", "type": "string", "default": [], "shape": [-1]}
    kind = next(kind for kind in (get_args(field.type) or (field.type,)) if kind in TYPES)
    return {"name": field.name, "type": TYPES[kind], "default": field.default}


def write_code(path: Path) -> None:
    """This package, as an archive that Python imports from; the same code is the same bytes."""
    package = Path(unroll.__file__).parent
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(package.rglob("*.py")):
            archive.writestr(zipfile.ZipInfo(file.relative_to(package.parent).as_posix()), file.read_bytes(),
                             zipfile.ZIP_DEFLATED)
