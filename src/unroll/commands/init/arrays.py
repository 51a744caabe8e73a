"""Arrays → a draft: the task follows from the shape and the type of `y_train`."""

from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.commands.init.draft import Draft, Options, Place, report
from unroll.readers import format_of

# target → its field, file of conf/task, in words
TASKS = {
    "class": ("label", "classify", "a class of each sequence"), "tag": ("tag", "tag", "a class of each step"),
    "value": ("y", "regress", "a value of each sequence"), "values": ("y", "regress_steps", "a value of each step"),
    "next": ("x", "next_value", "the next step"),
}


def draft_arrays(place: Place, file: Path, options: Options) -> Draft:
    if options.task in ("language", "forecast"):
        raise UserError("conflict", f"--task {options.task}", "arrays of sequences have a class or values. Give text "
                        "or a table.")
    reader = format_of(file, "arrays")
    assert reader is not None
    with closing(reader.Arrays(file)) as arrays:
        others = set(arrays.names)
        for split in ("train", "validation", "test"):
            for kind in ("X", "y", "lengths"):
                if (name := arrays.find(kind, split)) is not None:
                    dtype, shape, _ = arrays.header(name)
                    report("array", f"{name} {dtype} {shape}")
                    others.discard(name)
        x = arrays.header(arrays.name("X", "train"))
        y = arrays.load(name) if (name := arrays.find("y", "train")) is not None else None
        tested = arrays.find("X", "test") is not None
    target = _target(x, y, options.task)
    field, conf, words = TASKS[target]
    report("task", words, "--task classify, tag or regress")
    if not tested:
        report("test", "no X_test: a share of X_train is held out", "test in conf/data")
    if others:
        report("left out", f"{', '.join(sorted(others))}: X, y and lengths alone are looked at",
               f"inputs, targets and arrays in conf/data/{place.name}.yaml")
    data = {
        "kind": "npz", "path": place.path, "inputs": {"x": "real"}, "targets": {field: target},
        "arrays": {"x": "X"} if target == "next" else {"x": "X", field: "y"}, "scale": "standard",
        "validation": 0.15, "test": None if tested else 0.15, "seed": 1, "licence": "not stated",
    }
    return Draft(f"Arrays: {words}.", data, conf, [file])


def _target(x: Any, y: NDArray[Any] | None, task: str | None) -> str:
    if y is None:
        return "next"
    whole = y.dtype.kind not in "f" or bool((y[np.isfinite(y)] == np.round(y[np.isfinite(y)])).all())
    per_step = y.ndim == 3 or (y.ndim == 2 and y.shape[1] == x.shape[1] > 1)
    if task is None:
        few = len(np.unique(y)) <= max(2, min(50, y.size // 2))
        if y.dtype.kind in "f" and whole and few:
            raise UserError("ambiguous", "--task", f"y_train has {len(np.unique(y))} different whole numbers, stored "
                            f"as {y.dtype}: classes or values? Choose --task {'tag' if per_step else 'classify'} or "
                            "--task regress.")
        task = "classify" if whole and few else "regress"
    if task == "regress":
        return "values" if per_step else "value"
    return "tag" if per_step else "class"
