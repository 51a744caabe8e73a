"""The example program and the README of an exported model that draws several fields."""

from unroll.commands.export.graphs import TABLES

EXAMPLE = '''"""Rows of several fields from step.onnx, as CSV; it needs NumPy and ONNX Runtime only."""
import codecs
import csv
import json
import sys
from pathlib import Path

import numpy as np
from onnxruntime import InferenceSession

TEMPERATURE, SEED, LENGTH = 1.0, 1, 200     # at temperature 0, what is most probable each time
here = Path(__file__).parent
fields_drawn = json.loads((here / "fields.json").read_text(encoding="utf-8"))
session = InferenceSession(str(here / "step.onnx"), providers=["CPUExecutionProvider"])
names = [part.name for part in session.get_outputs()]
state = {part.name: np.zeros((part.shape[0], 1, part.shape[2]), np.float32) for part in session.get_inputs()
         if part.name.startswith("state.")}
draw = np.random.default_rng(SEED)
FUNCTIONS

read = {name: np.full(field["shape"], field["begin"]) for name, field in fields_drawn.items()}
table = csv.writer(sys.stdout, lineterminator="\\n")
table.writerow(column for field in fields_drawn.values() for column in field["columns"])
for step in range(LENGTH):
    steps = {field["input"]: np.array(read[name], field["type"])[None, None] for name, field in fields_drawn.items()}
    found = dict(zip(names, session.run(None, {**steps, "lengths": np.array([1], np.int32), **state})))
    state = {name: found[name.replace("state.", "next.", 1)] for name in state}
    drawn = {name: DRAWS[field["draw"]](field, found[f"heads.{name}"][0], step == 0)
             for name, field in fields_drawn.items()}
    if any(cells is None for _, cells in drawn.values()):       # the sequence ends
        break
    read = {name: value for name, (value, _) in drawn.items()}
    table.writerow(f"{cell:.6g}" if isinstance(cell, float) else cell for _, cells in drawn.values() for cell in cells)
'''

FUNCTION = '''

def {name}(field, outputs, first):
{body}
'''

README = """# A model of several fields as an ONNX graph

`step.onnx` reads a step of every field and predicts the next one. `example.py` draws a table with it:
`python example.py`, where NumPy and ONNX Runtime are installed.

""" + TABLES + """
T is the number of steps read at once and B the number of sequences side by side, each of `lengths` steps; padding after
them is ignored. A sequence begins with the step `begin` of each field and a state of zeros; then each `next.…` is the
following step's `state.…`. `heads.…` are the raw outputs of each field's head, from which `example.py` draws, given all
steps before and independently of the other fields of the step.

`fields.json` has of each field its graph input, type, shape and begin, its columns, and what the drawing needs: of
symbols the texts (as bytes) or classes, the one that ends a sequence, and those never drawn; of real numbers the mean
and the deviation on the training split, since the network reads them less the mean and divided by the deviation.
"""
