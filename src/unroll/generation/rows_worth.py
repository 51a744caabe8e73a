"""What drawn rows are worth: whether their symbols stand together, and follow each other, as they do in the data."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.data.given import of_item
from unroll.data.parts import some_steps
from unroll.data.source import Split
from unroll.data.store import Prepared
from unroll.generation.rows import RowSample

Symbols = NDArray[np.int64]     # (N, K) rows of the fields that have symbols


def rows_worth(samples: Sequence[RowSample], prepared: Prepared, limit: int) -> Mapping[str, float]:
    """Figures of the samples and of the test split's rows, beside about `limit` rows of the training split.

    `known_rows`: share of rows whose symbols stand together in a row of the training split; `known_steps`: whose
    symbols there also follow the row before; `rows_per_sequence`, where sequences end by themselves.
    """
    names = [name for name in prepared.spec.drawn if prepared.spec.inputs[name].kind != "real"]
    lengths = [len(next(iter(sample.rows.values()))) for sample in samples]
    metrics: dict[str, float] = {"samples/sequences": len(samples), "samples/rows": sum(lengths)}
    if not names:
        return metrics
    drawn = np.concatenate([_side_by_side([sample.rows[name] for name in names]) for sample in samples])
    steps = {"samples/": _steps(drawn, np.cumsum([0, *lengths])), "samples/test_": _of(prepared, "test", names, None)}
    train = _of(prepared, "train", names, limit)
    for prefix, found in steps.items():
        metrics |= {f"{prefix}known_rows": _known(found[:, len(names) :], train[:, len(names) :]),
                    f"{prefix}known_steps": _known(found, train)}
    if prepared.spec.ending is not None:
        metrics["samples/rows_per_sequence"] = float(np.mean(lengths))
        metrics["samples/test_rows_per_sequence"] = len(steps["samples/test_"]) / \
            prepared.spec.splits["test"].sequences
    return metrics


def of_test(prepared: Prepared, count: int) -> list[RowSample]:
    """The first sequences of the test split, as if they had been drawn; of a stream, its beginning."""
    data, found = prepared.sequences("test"), list[RowSample]()
    for item in range(min(count, 1 if data.bounds is None else len(data))):
        rows = {name: of_item(data, data.inputs[name], item) for name in prepared.spec.drawn}
        if prepared.spec.ending is not None:
            rows = {name: values[:-1] for name, values in rows.items()}
        beside = [name for name in data.inputs if name not in prepared.spec.drawn]
        found.append(RowSample(rows, 0, {name: of_item(data, data.inputs[name], item) for name in beside}))
    return found


def _of(prepared: Prepared, split: Split, names: Sequence[str], limit: int | None) -> Symbols:
    """The steps of a split, without those that only end an item."""
    fields, own = [prepared.values(name, split) for name in names], prepared.offsets(split)
    parts = [some_steps(field, own, len(field) if limit is None else limit) for field in fields]
    rows, offsets = _side_by_side([values for values, _ in parts]), parts[0][1]
    steps, ending = _steps(rows, np.array([0, len(rows)]) if offsets is None else offsets), prepared.spec.ending
    if ending is None:
        return steps
    return np.asarray(steps[steps[:, len(names) + names.index(ending)] != prepared.spec.inputs[ending].end])


def _steps(rows: Symbols, offsets: NDArray[Any]) -> Symbols:
    """(N, K) → (N, 2 K): the row before, -1 where there is none, and the row."""
    before = np.concatenate([np.full_like(rows[:1], -1), rows[:-1]])
    before[np.asarray(offsets)[:-1][np.diff(offsets) > 0]] = -1
    return np.concatenate([before, rows], axis=1)


def _side_by_side(fields: Sequence[NDArray[Any]]) -> Symbols:
    return np.stack([field.reshape(len(field)) for field in fields], axis=1).astype(np.int64)


def _known(rows: Symbols, corpus: Symbols) -> float:
    """Share of the rows that occur in the corpus."""
    known = set(map(bytes, np.unique(corpus, axis=0)))
    return sum(bytes(row) in known for row in rows) / max(1, len(rows))
