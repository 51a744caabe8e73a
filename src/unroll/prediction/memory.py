"""What a model remembers of sequences that continue later, in Python and on disk."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load, save

from unroll.base.errors import UserError
from unroll.models.cell import State

Tensors = dict[str, torch.Tensor]
LAST = "last.{name}"


class Memory:
    """What a model remembers of sequences, one per lane.

    The core's state, the number of steps read, and of each input that is predicted before it is read, as the network
    reads it, the last step, which the state has not read yet.
    """

    def __init__(self, state: list[State], last: dict[str, NDArray[Any]], steps: NDArray[np.int64]) -> None:
        self.state, self.last, self.steps = state, last, steps

    def lanes(self, places: NDArray[Any]) -> "Memory":
        """A copy of these lanes."""
        state = [tuple(part[torch.from_numpy(places)] for part in layer) for layer in self.state]
        return Memory(state, {name: last[places] for name, last in self.last.items()}, self.steps[places])

    def put(self, places: NDArray[Any], other: "Memory") -> None:
        """Overwrite these lanes."""
        for layer, theirs in zip(self.state, other.state, strict=True):
            for part, new in zip(layer, theirs, strict=True):
                part[torch.from_numpy(places)] = new
        self.steps[places] = other.steps
        for name, last in other.last.items():
            self.last[name][places] = last

    def __len__(self) -> int:
        return len(self.steps)


def write_memory(path: Path, memory: Memory, names: Sequence[str], model: str) -> None:
    """Write the memory of named sequences; `model` is the SHA-256 of the weights."""
    tensors = {f"{depth}.{part}": value.contiguous() for depth, layer in enumerate(memory.state)
               for part, value in enumerate(layer)}
    tensors["steps"] = torch.from_numpy(memory.steps)
    tensors |= {LAST.format(name=name): torch.from_numpy(last) for name, last in memory.last.items()}
    about = json.dumps({"model": model, "names": list(names), "digest": _digest(tensors)})
    path.write_bytes(save(tensors, {"about": about}))       # the library would write several entries in any order


def load_memory(path: Path, fresh: Memory, names: Sequence[str], model: str) -> Memory:
    """Read memory of the shape of a `fresh` one; raises `UserError` on a damaged file, another model's or sequences."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError("missing-file", path, f"cannot be read ({error.strerror}). Write a state with --save-state.") \
            from None
    try:
        tensors = load(content)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        about = json.loads(header["__metadata__"]["about"])
        place = {name: at for at, name in enumerate(about["names"])}
        if about["digest"] != _digest(tensors):
            raise ValueError
    except (SafetensorError, ValueError, KeyError, TypeError):
        raise UserError("damaged", path, "damaged, or not a state. Write one with --save-state.") from None
    if about["model"] != model:
        raise UserError("conflict", path, "the state of another model. Give the model that wrote it as --model.")
    for name in names:
        if name not in place:
            raise UserError("not-found", path, f"has no state of the sequence {name!r}; it has "
                            f"{', '.join(list(place)[:5])}{' …' if len(place) > 5 else ''}. Give sequences of "
                            "these, or leave --state out.")
    rows = np.array([place[name] for name in names])
    state = [tuple(tensors[f"{depth}.{part}"] for part in range(len(layer))) for depth, layer in enumerate(fresh.state)]
    # files of earlier versions have the last symbol of a text, the only input that could be kept then
    last = {name: tensors.get(LAST.format(name=name), tensors.get("last")).numpy() for name in fresh.last}
    return Memory(state, last, tensors["steps"].numpy()).lanes(rows)


def _digest(tensors: Tensors) -> str:
    return hashlib.sha256(save(tensors)).hexdigest()
