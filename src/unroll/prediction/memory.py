"""A model's memory on disk: to go on with sequences where they ended."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from unroll.errors import UserError
from unroll.prediction.predictor import Memory, Predictor

Tensors = dict[str, torch.Tensor]


def write_memory(path: Path, memory: Memory, names: Sequence[str], model: str) -> None:
    """The state of each sequence, under its name, of the model with this SHA-256."""
    tensors = {f"{depth}.{part}": each.contiguous() for depth, layer in enumerate(memory.state)
               for part, each in enumerate(layer)}
    tensors["steps"] = torch.from_numpy(memory.steps)
    if memory.last is not None:
        tensors["last"] = torch.from_numpy(memory.last)
    about = json.dumps({"model": model, "names": list(names), "digest": _digest(tensors)})
    path.write_bytes(save(tensors, {"about": about}))       # of several entries the library would change the order


def load_memory(path: Path, predictor: Predictor, names: Sequence[str]) -> Memory:
    """Raises `UserError` when it is damaged, another model's, or of other sequences."""
    fresh = predictor.memory(len(names))
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}). Write a state with --save-state.") from None
    try:
        tensors = load(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        written = json.loads(header["__metadata__"]["about"])
        place = {name: at for at, name in enumerate(written["names"])}
        if written["digest"] != _digest(tensors):
            raise ValueError
    except (SafetensorError, ValueError, KeyError, TypeError):
        raise UserError(f"{path}: damaged, or not a state. Write one with --save-state.") from None
    if written["model"] != predictor.model.digest:
        raise UserError(f"{path}: the state of another model. Give the model that wrote it as --model.")
    for name in names:
        if name not in place:
            raise UserError(f"{path}: has no state of the sequence {name!r}; it has {', '.join(list(place)[:5])}"
                            f"{' …' if len(place) > 5 else ''}. Give sequences of these, or leave --state out.")
    rows = np.array([place[name] for name in names])
    state = [tuple(tensors[f"{depth}.{part}"] for part in range(len(layer))) for depth, layer in enumerate(fresh.state)]
    last = None if fresh.last is None else tensors["last"].numpy()
    return Memory(state, last, tensors["steps"].numpy()).lanes(rows)


def _digest(tensors: Tensors) -> str:
    return hashlib.sha256(save(tensors)).hexdigest()
