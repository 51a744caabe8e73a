"""`unroll export`: a language model for programs that use ONNX and not this package."""

import json
import shutil
from pathlib import Path
from typing import Any

from unroll.base.errors import UserError
from unroll.base.files import replacing, write_json
from unroll.commands.export.beside import write_beside
from unroll.commands.export.texts import ABOUT_GIVEN, ABOUT_OWN_AXIS, EXAMPLE, README
from unroll.commands.model_option import model_folder
from unroll.commands.out_folder import check_folder
from unroll.data.tokenizers import Tokenizer
from unroll.generation.symbols import never_drawn
from unroll.models.manifest import START, STEP, open_folder
from unroll.models.onnx.names import field_input

TYPES = {"tensor(int64)": "int64", "tensor(int32)": "int32", "tensor(float)": "float32"}


def export(model: str, out: Path) -> None:
    """Write step file, vocabulary, example and README; raises `UserError` for a model that cannot be exported."""
    out = check_folder(out, "the files").resolve()
    if out.exists() and (out == Path.cwd() or any(out.iterdir())):
        raise UserError("exists", "--out", f"{out} exists and is not empty, or is the folder you are in. Give another.")
    with model_folder(model) as folder:
        opened = open_folder(folder)
        if opened.generates != "text":
            raise UserError("unsupported", "--model", f"the model's head is {opened.heads}; only language models are "
                            f"exported.{' Use `unroll sample`.' * (opened.generates is not None)}")
        if not (folder / STEP).is_file():
            raise UserError("unsupported", "--model", f"the model has no ONNX step to export: its cell, "
                            f"{opened.config.core.kind}, has none, or a core that reads from its end beside it. Train "
                            "one of other cells.")
        beside = [name for name in opened.spec.inputs if name != opened.spec.main]
        for name in beside:
            if opened.spec.inputs[name].per == "step":
                raise UserError("unsupported", "--model", f"the model also reads {name} at each step, which "
                                "the example cannot. Use `unroll sample`.")
        target = next(name for name, field in opened.spec.targets.items() if field.symbols)
        field, tokenizer = opened.spec.main, opened.tokenizers[opened.spec.main]
        known = vocabulary(tokenizer)
        with replacing(out) as temporary:
            temporary.mkdir()
            shutil.copyfile(folder / STEP, temporary / STEP)
            write_json(temporary / "vocabulary.json", known)
            example, about = EXAMPLE.replace("FIELD", json.dumps(field_input(field))), _readme(temporary / STEP, target)
            if beside:
                code = write_beside(opened, beside, temporary)
                example = example.replace("draw, symbol", code + "draw, symbol", 1)
                about += ABOUT_GIVEN.format(inputs=_rows(_session(temporary / START).get_inputs()))
                about += ABOUT_OWN_AXIS if opened.spec.own else ""
            (temporary / "example.py").write_text(example, encoding="utf-8")
            (temporary / "README.md").write_text(about, encoding="utf-8")
    files = f"{START}, inputs.json, " if beside else ""
    print(f"export: {tokenizer.size:,} symbols, {STEP}, {files}vocabulary.json, example.py → {out}")


def vocabulary(tokenizer: Tokenizer) -> dict[str, Any]:
    """Raises `UserError` where the text of a symbol depends on those before it."""
    return {"symbols": [_plain(symbol) for symbol in tokenizer.vocabulary], "begin": tokenizer.begin,
            "end": tokenizer.end, "unknown": tokenizer.unknown, "never": never_drawn(tokenizer)}


def _plain(part: bytes | None) -> str | list[int] | None:
    """Text, or bytes where it is not whole characters."""
    try:
        return None if part is None else part.decode()
    except UnicodeDecodeError:
        return list(part or b"")


def _readme(step: Path, target: str) -> str:
    session = _session(step)
    return README.format(inputs=_rows(session.get_inputs()), outputs=_rows(session.get_outputs()), target=target)


def _session(graph: Path) -> Any:
    from onnxruntime import InferenceSession

    return InferenceSession(str(graph), providers=["CPUExecutionProvider"])


def _rows(described: list[Any]) -> str:
    return "\n".join(f"| `{value.name}` | {TYPES[value.type]} | ({', '.join(map(str, value.shape))}) |"
                     for value in described)
