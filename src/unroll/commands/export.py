"""`unroll export`: a language model for programs that use ONNX and not this package."""

import json
import shutil
from pathlib import Path
from typing import Any

from unroll.base.errors import UserError
from unroll.base.files import replacing, write_json
from unroll.commands.model_option import model_folder
from unroll.commands.out_folder import check_folder
from unroll.data.tokenizers import Tokenizer
from unroll.generation.symbols import never_drawn
from unroll.models.manifest import STEP, open_folder
from unroll.models.onnx.names import field_input

# the largest of the logits plus Gumbel noise is a draw from their softmax (Gumbel, 1954)
EXAMPLE = '''"""A text from step.onnx; it needs NumPy and ONNX Runtime only."""
import json
from pathlib import Path

import numpy as np
from onnxruntime import InferenceSession

TEMPERATURE, SEED, LENGTH = 0.7, 1, 500     # at temperature 0, the most probable symbol each time
here = Path(__file__).parent
known = json.loads((here / "vocabulary.json").read_text(encoding="utf-8"))
session = InferenceSession(str(here / "step.onnx"), providers=["CPUExecutionProvider"])
state = {part.name: np.zeros((part.shape[0], 1, part.shape[2]), np.float32) for part in session.get_inputs()[2:]}
draw, symbol, text = np.random.default_rng(SEED), known["begin"], b""
for _ in range(LENGTH):
    *after, logits = session.run(None, {FIELD: [[symbol]], "lengths": np.array([1], np.int32), **state})
    state = dict(zip(state, after))
    logits[0, known["never"]] = -np.inf
    symbol = int(np.argmax(logits[0] + TEMPERATURE * draw.gumbel(size=logits.shape[1])))
    if symbol == known["end"]:
        break
    part = known["symbols"][symbol]
    text += part.encode() if isinstance(part, str) else bytes(part)
print(text.decode(errors="replace"))
'''
TYPES = {"tensor(int64)": "int64", "tensor(int32)": "int32", "tensor(float)": "float32"}
README = """# A language model as an ONNX graph

`step.onnx` reads symbols and predicts the next one. `example.py` writes a text with it: `python example.py`, where
NumPy and ONNX Runtime are installed.

| input | type | shape |
|---|---|---|
{inputs}

| output | type | shape |
|---|---|---|
{outputs}

T is the number of steps read at once and B the number of texts side by side, each of `lengths` steps; padding after
them is ignored. `heads.{target}` are the logits, before any softmax, of the symbol after the last one read. A text
begins with the symbol `begin` and a state of zeros; then each `next.…` is the following step's `state.…`.

`vocabulary.json` has

- `symbols`: what each symbol adds to a text, a string, or bytes where it is a part of a character, or null for nothing;
- `begin`, `end`, `unknown`: the symbol before a text, the one that closes it, and the one for everything that the
  vocabulary lacks; null where the model has no such symbol;
- `never`: symbols that must not be drawn, whatever their logits.
"""


def export(model: str, out: Path) -> None:
    """Write step file, vocabulary, example and README; raises `UserError` for a model that cannot be exported."""
    out = check_folder(out, "the files").resolve()
    if out.exists() and (out == Path.cwd() or any(out.iterdir())):
        raise UserError("exists", "--out", f"{out} exists and is not empty, or is the folder you are in. Give another.")
    with model_folder(model) as folder:
        opened = open_folder(folder)
        if opened.generates != "text":
            raise UserError("unsupported", "--model", f"the model's head is {opened.heads}; only language models are "
                            "exported.")
        if not (folder / STEP).is_file():
            raise UserError("unsupported", "--model", f"the model's cell, {opened.config.core.kind}, has no ONNX step "
                            "to export. Train one of another cell.")
        target = next(name for name, field in opened.spec.targets.items() if field.symbols)
        ((field, tokenizer),) = opened.tokenizers.items()
        known = vocabulary(tokenizer)
        with replacing(out) as temporary:
            temporary.mkdir()
            shutil.copyfile(folder / STEP, temporary / STEP)
            write_json(temporary / "vocabulary.json", known)
            example = EXAMPLE.replace("FIELD", json.dumps(field_input(field)))
            (temporary / "example.py").write_text(example, encoding="utf-8")
            (temporary / "README.md").write_text(_readme(temporary / STEP, target), encoding="utf-8")
    print(f"export: {tokenizer.size:,} symbols, {STEP}, vocabulary.json, example.py → {out}")


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
    from onnxruntime import InferenceSession

    session = InferenceSession(str(step), providers=["CPUExecutionProvider"])
    return README.format(inputs=_rows(session.get_inputs()), outputs=_rows(session.get_outputs()), target=target)


def _rows(described: list[Any]) -> str:
    return "\n".join(f"| `{value.name}` | {TYPES[value.type]} | ({', '.join(map(str, value.shape))}) |"
                     for value in described)
