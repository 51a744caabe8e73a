"""A model that draws several fields, for programs without this package."""

import json
from pathlib import Path
from textwrap import indent
from typing import Any

from unroll.base.errors import UserError
from unroll.base.files import write_json
from unroll.commands.export.graphs import readme
from unroll.commands.export.row_texts import EXAMPLE, FUNCTION, README
from unroll.generation.draw import Drawn, draw_of
from unroll.models.manifest import STEP, ModelFolder
from unroll.models.onnx.names import field_input

TYPES = {"tokens": "int64", "categories": "int64", "real": "float32"}


def write_rows(opened: ModelFolder, beside: str, out: Path) -> tuple[str, str]:
    """Write `fields.json` and the example, with what it has of other inputs; returns the README and the files.

    Raises `UserError` for a head that says nothing of how it is drawn from.
    """
    fields, functions = {}, {}
    for name in opened.spec.drawn:
        drawn = Drawn(opened.spec.inputs[name], opened.config.heads[name], opened.tokenizers.get(name))
        draw = draw_of(drawn.head)
        if draw.example is None:
            raise UserError("unsupported", "--model", f"the head of {name}, {drawn.head.kind}, says nothing of how to "
                            "draw from it without this package. Use `unroll sample`.")
        functions[drawn.head.kind] = FUNCTION.format(name=drawn.head.kind, body=indent(draw.example.rstrip(), "    "))
        fields[name] = _about(name, drawn) | draw.about(drawn)
    write_json(out / "fields.json", fields)
    calls = f"\n\nDRAWS = {{{', '.join(f'{json.dumps(kind)}: {kind}' for kind in functions)}}}"
    code = EXAMPLE.replace("FUNCTIONS\n", beside + "".join(functions.values()) + calls + "\n")
    (out / "example.py").write_text(code, encoding="utf-8")
    return readme(README, out / STEP), "fields.json"


def _about(name: str, drawn: Drawn) -> dict[str, Any]:
    field = drawn.field
    columns = field.names or ([name] if field.width == 1 else [f"{name}_{at}" for at in range(1, field.width + 1)])
    return {"input": field_input(name), "type": TYPES[field.kind], "shape": [] if field.kind == "tokens" else [
        field.width if field.kind == "categories" else field.size], "begin": field.begin, "columns": columns,
        "draw": drawn.head.kind}
