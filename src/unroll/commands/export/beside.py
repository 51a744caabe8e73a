"""What a model reads beside the text, in an exported folder: how it is encoded, and how the example does it."""

import json
import shutil
from pathlib import Path
from typing import Any

from unroll.base.files import write_json
from unroll.commands.export.texts import ENCODE_TEXT, GIVEN, KIND, SYMBOLS
from unroll.data.encoders import scaler_of
from unroll.data.spec import InputSpec
from unroll.data.store import TOKENIZER
from unroll.data.tokenizers import Tokenizer
from unroll.models.manifest import START, ModelFolder


def write_beside(opened: ModelFolder, names: list[str], out: Path) -> str:
    """Write start file, `inputs.json` and the tokenizers of other texts; returns what the example has of them."""
    fields = {name: opened.spec.inputs[name] for name in names}
    shutil.copyfile(opened.folder / START, out / START)
    write_json(out / "inputs.json", {name: encoding(name, field) for name, field in fields.items()})
    texts = {name: opened.tokenizers[name] for name, field in fields.items() if field.kind == "tokens"}
    for name in texts:
        shutil.copyfile(opened.folder / TOKENIZER.format(field=name), out / TOKENIZER.format(field=name))
    code = GIVEN.replace("VALUES", json.dumps({name: typical(field) for name, field in fields.items()}))
    if texts:
        kinds = {tokenizer.state()["kind"]: tokenizer for tokenizer in texts.values()}
        code = code.replace("def encode", SYMBOLS + "".join(map(_kind, kinds, kinds.values())) + "\n\ndef encode")
    return code.replace("ENCODE_TEXT", ENCODE_TEXT if texts else "")


def _kind(kind: str, tokenizer: Tokenizer) -> str:
    imports = "".join(f"        import {module}\n\n" for module in tokenizer.modules)
    return KIND.format(kind=kind, imports=imports, expression=tokenizer.expression)


def encoding(name: str, field: InputSpec) -> dict[str, Any]:
    """How the values of a whole text become the start graph's input."""
    known: dict[str, Any] = {"names": field.names, "own_axis": field.per == "own", "tokenizer": None, "mean": None,
                             "deviation": None, "categories": None}
    if field.kind == "tokens":
        return known | {"tokenizer": TOKENIZER.format(field=name)}
    if field.categories is None:
        scale = scaler_of(field).state()
        return known | {"mean": scale.mean, "deviation": scale.deviation}
    columns = [{name: first + number for number, name in enumerate(["", *names])}
               for names, first in zip(field.categories, field.first_numbers, strict=True)]
    return known | {"categories": columns}


def typical(field: InputSpec) -> Any:
    """The mean of numbers, a step of it where they have several; the first name of categories; no text."""
    if field.kind == "tokens":
        return ""
    if field.categories is not None:
        first = [names[0] for names in field.categories]
        return [first] if field.per == "own" else first
    means = [float(f"{mean:.6g}") for mean in scaler_of(field).mean]
    return [means] if field.per == "own" else means
