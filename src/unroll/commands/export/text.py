"""A language model, for programs without this package."""

import json
from pathlib import Path
from typing import Any

from unroll.base.files import write_json
from unroll.commands.export.graphs import readme
from unroll.commands.export.texts import EXAMPLE, README
from unroll.data.tokenizers import Tokenizer
from unroll.generation.symbols import never_drawn
from unroll.models.manifest import STEP, ModelFolder
from unroll.models.onnx.names import field_input


def write_text(opened: ModelFolder, beside: str, out: Path) -> tuple[str, str]:
    """Write `vocabulary.json` and the example, with what it has of other inputs; returns the README and the files."""
    target = next(name for name, field in opened.spec.targets.items() if field.symbols)
    write_json(out / "vocabulary.json", vocabulary(opened.tokenizers[opened.spec.main]))
    example = EXAMPLE.replace("FIELD", json.dumps(field_input(opened.spec.main)))
    if beside:
        example = example.replace("draw, symbol", beside + "draw, symbol", 1)
    (out / "example.py").write_text(example, encoding="utf-8")
    return readme(README, out / STEP, target=target), "vocabulary.json"


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
