"""`unroll predict`: a file without targets → a table of predictions."""

from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from itertools import combinations
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch

from unroll.base.errors import UserError
from unroll.base.files import replacing
from unroll.commands.adapt import adapted_forecasts
from unroll.commands.impute import write_imputed
from unroll.commands.model_option import model_folder
from unroll.data.spec import Spec
from unroll.prediction.future import read_future
from unroll.prediction.given import of_rows
from unroll.prediction.inputs import Inputs, read
from unroll.prediction.memory import load_memory, write_memory
from unroll.prediction.predictor import Predictor, load
from unroll.prediction.table import as_table
from unroll.prediction.table_files import TableFile, check_name
from unroll.prediction.times import ahead, typed
from unroll.prediction.values import spelt
from unroll.readers.common.advice import corrected_by

PART = 2_000            # sequences whose predictions are in memory together
REMEMBERED = 1000       # different times of series, of which the next ones are known


def predict(file: Path, out: Path, model: str, state: Path | None, save_state: Path | None,
            changes: Mapping[str, Any] = MappingProxyType({}), future: Path | None = None,
            outcomes: Path | None = None, fill: bool = False, adapted: bool = False) -> None:
    """Write a table of predictions for every sequence of a file; with a state, the sequences continue earlier ones.

    `future` is a table of what is known of the steps that are forecast, `outcomes` one with a row a series beside
    events. With `fill`, the table is of the series themselves, filled in; `adapted` intervals follow the file's past.
    `changes` are settings of reading in which the file differs from the training data.
    """
    torch.set_num_threads(1)    # a step of a single sequence is so short that threads would only wait for each other
    check_name(out)
    _check_places(file, out, save_state)
    with model_folder(model) as folder:
        predictor = load(folder)
    if fill:
        unused = {"--state": state, "--save-state": save_state, "--future": future, "--adapt": adapted or None}
        write_imputed(predictor, file, out, changes, unused)
        return
    tokenizer = predictor.model.tokenizers.get(predictor.input)
    inputs = read(file, predictor.spec, len if tokenizer is None else tokenizer.count, changes, outcomes)
    later = _future(future, predictor.spec, inputs, changes)
    _report_unseen(predictor.spec, inputs)
    memory = None
    if state is not None or save_state is not None:
        try:
            memory = predictor.memory(len(inputs.names))
        except UserError as error:
            raise UserError(error.code, "--save-state" if state is None else "--state", error.text) from None
    if state is not None and any(field.gap for field in predictor.spec.inputs.values()):
        raise UserError("unsupported", "--state", "the model reads the time between steps, and that between two files "
                        "is not kept. Give whole sequences, or use memory in Python, where gaps are given.")
    if state is not None and memory is not None:
        memory = load_memory(state, memory, inputs.names, predictor.model.digest)
    before = None if memory is None else memory.steps.tolist()
    form = changes.get("time_format") or predictor.spec.reading.time_format
    stamps, rows = _stamps(predictor, inputs, form), 0
    size = PART if memory is None and not adapted else len(inputs.names)
    with ExitStack() as both:       # write both files, or none
        table_file = both.enter_context(TableFile(both.enter_context(replacing(out)), out.suffix))
        for first in range(0, len(inputs.names), size):
            part = _part(inputs, slice(first, first + size))
            try:
                # with a state to save, texts continue later and do not end here
                predictions = predictor.predict_all(part.sequences, memory, save_state is None, part.names,
                                                    None if later is None else later[first : first + size])
            except UserError as error:
                raise error.within(file) from None
            if adapted:
                predictions |= adapted_forecasts(predictor, part, predictions)
            table = as_table(predictor, of_rows(predictor, predictions, part, memory), part.names, before)
            if stamps is not None:
                own = stamps[rows : rows + len(table)]
                table.insert(2, "time", typed(own, form) if out.suffix == ".parquet" else own)
            table_file.write(table)
            rows += len(table)
        if save_state is not None and memory is not None:
            temporary = both.enter_context(replacing(save_state))
            write_memory(temporary, memory, inputs.names, predictor.model.digest)
    count = f"{len(inputs.names):,} sequence{'s' * (len(inputs.names) != 1)}"
    if save_state is not None:
        print(f"predict: the state of {count} → {save_state}")
    print(f"predict: {rows:,} row{'s' * (rows != 1)} for {count} → {out}")


def _future(path: Path | None, spec: Spec, inputs: Inputs, changes: Mapping[str, Any]
            ) -> list[dict[str, Any]] | None:
    """What is known of each sequence's steps ahead; raises `UserError` where the model reads no or other such steps."""
    if path is None and not spec.known_ahead:
        return None
    columns = ", ".join(column for name in spec.known_ahead for column in spec.inputs[name].names or ())
    if path is None:
        raise UserError("missing-value", "--future", f"the model reads {columns} of the steps that it forecasts, too. "
                        "Give a table of them: --future future.csv.")
    if not spec.known_ahead:
        raise UserError("no-effect", "--future", "the model reads nothing of the steps that it forecasts. Leave it "
                        "out.")
    with corrected_by("options", changes):
        return read_future(path, spec, inputs, {name: value for name, value in changes.items() if value is not None})


def _part(inputs: Inputs, some: slice) -> Inputs:
    """Some of the sequences."""
    return Inputs(inputs.names[some], inputs.sequences[some], None if inputs.times is None else inputs.times[some],
                  None if inputs.given is None else inputs.given[some])


def _check_places(file: Path, out: Path, save_state: Path | None) -> None:
    """Raises `UserError` where an output would replace a folder or the input."""
    written = [path for path in (out, save_state) if path is not None]
    for path in written:
        parent = next(folder for folder in path.absolute().parents if folder.exists())
        if path.is_dir() or not parent.is_dir():
            reason = "is a folder" if path.is_dir() else f"{parent} is not a folder"
            raise UserError("not-a-file", path, f"{reason}. Give a file.")
    for one, other in combinations([file, *written], 2):
        try:
            same = one.resolve() == other.resolve()
        except RuntimeError as error:       # a loop of links
            raise UserError("not-a-file", other, f"{error}. Give a file.") from None
        if same:
            raise UserError("conflict", other, f"would be written over {one}. Give another file.")


def _report_unseen(spec: Spec, inputs: Inputs) -> None:
    """Print how many categories of each column were not in training."""
    for name, field in spec.inputs.items():
        for at, known in enumerate(() if field.calendar else field.categories or ()):
            found = Counter(spelt(cell, known) for sequence in inputs.sequences for cell in np.reshape(
                sequence[name] if len(spec.inputs) > 1 else sequence, (-1, field.width))[:, at])
            unseen = {cell: count for cell, count in found.items() if cell not in known}
            if unseen:
                shown = ", ".join(map(repr, sorted(unseen)[:3])) + ", …" * (len(unseen) > 3)
                column = field.names[at] if field.names else name
                print(f"predict: {column}: {sum(unseen.values()):,} of {found.total():,} are categories that training "
                      f"did not have ({shown}), read as another one")


def _stamps(predictor: Predictor, inputs: Inputs, form: str | None) -> list[str] | None:
    """The time of each row of forecasts of a table with times: of each step ahead, once for each variable.

    Before them, where there is another target, the last step.
    """
    if predictor.spec.forecast is None or inputs.times is None:
        return None
    spec = predictor.spec
    assert spec.forecast is not None
    variables = predictor.forecast.spec.size
    # series often have the same times
    known: dict[tuple[str, ...], list[str] | None] = {}
    stamps: list[str] = []
    for times in inputs.times:
        key = tuple(times)
        if key not in known:
            if len(known) == REMEMBERED:
                known.clear()
            known[key] = ahead(times, spec.forecast.horizon, form, spec.reading.frequency)
        if (later := known[key]) is None:
            return None
        stamps += [times[-1]] if len(spec.targets) > 1 else []
        stamps += [time for time in later for _ in range(variables)]
    return stamps
