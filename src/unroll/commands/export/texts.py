"""The example program and the README of an exported model."""

from unroll.commands.export.graphs import TABLES

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
state = {part.name: np.zeros((part.shape[0], 1, part.shape[2]), np.float32) for part in session.get_inputs()
         if part.name.startswith("state.")}
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

# what is put into the example where a model also reads what stands for the whole of a text
GIVEN = '''GIVEN = VALUES     # what is read beside the text
fields = json.loads((here / "inputs.json").read_text(encoding="utf-8"))
start = InferenceSession(str(here / "start.onnx"), providers=["CPUExecutionProvider"])


def encode(field, values):
    ENCODE_TEXTif field["categories"] is None:
        numbers = np.array(values, float).reshape(-1, len(field["mean"]))
        return ((numbers - field["mean"]) / field["deviation"]).astype(np.float32)
    rows = np.array(values, object).reshape(-1, len(field["categories"]))
    return np.array([[numbers[value] for numbers, value in zip(field["categories"], row)] for row in rows],
                    np.int64).reshape(rows.shape)


encoded = {}
for name, field in fields.items():
    part = encode(field, GIVEN[name])
    if field["own_axis"]:   # of no steps, there is one that is ignored
        encoded[f"context.{name}.lengths"] = np.array([len(part)], np.int32)
        encoded[f"context.{name}"] = (part if len(part) else np.zeros((1, *part.shape[1:]), part.dtype))[:, None]
    else:
        encoded[f"static.{name}"] = part
state |= zip((part.name for part in start.get_outputs()), start.run(None, encoded))
'''

# and where some of it are texts
ENCODE_TEXT = '''if field["tokenizer"] is not None:
        return np.array(symbols(json.loads((here / field["tokenizer"]).read_text(encoding="utf-8")), values), np.int64)
    '''
SYMBOLS = '''def symbols(known, text):
'''
KIND = '''    if known["kind"] == "{kind}":
{imports}        return {expression}
'''
README = """# A language model as an ONNX graph

`step.onnx` reads symbols and predicts the next one. `example.py` writes a text with it: `python example.py`, where
NumPy and ONNX Runtime are installed.

""" + TABLES + """
T is the number of steps read at once and B the number of texts side by side, each of `lengths` steps; padding after
them is ignored. `heads.{target}` are the logits, before any softmax, of the symbol after the last one read. A text
begins with the symbol `begin` and a state of zeros; then each `next.…` is the following step's `state.…`.

`vocabulary.json` has

- `symbols`: what each symbol adds to a text, a string, or bytes where it is a part of a character, or null for nothing;
- `begin`, `end`, `unknown`: the symbol before a text, the one that closes it, and the one for everything that the
  vocabulary lacks; null where the model has no such symbol;
- `never`: symbols that must not be drawn, whatever their logits.
"""

ABOUT_GIVEN = """
## What is read beside the text

`start.onnx` makes the parts of the first state that are not zero.

| input | type | shape |
|---|---|---|
{inputs}

`inputs.json` says how its inputs are encoded: real numbers less `mean` and divided by `deviation`, of categories the
number of each in its column, where "" stands for one that training never saw.
"""

ABOUT_OWN_AXIS = """
What has an `own_axis` is another sequence: `context.<name>` are its T.<name> steps, real numbers or the symbols of a
text, of which the first `context.<name>.lengths` are read. `tokenizer` names the file of a text's vocabulary; `symbols`
in `example.py` encodes the text, with what it imports.
"""
