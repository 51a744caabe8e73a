"""`unroll predict`: a file without targets → a table of predictions."""

from contextlib import ExitStack
from itertools import combinations
from pathlib import Path

import numpy as np
import torch

from unroll.base.errors import UserError
from unroll.base.files import replacing
from unroll.commands.model_option import model_folder
from unroll.prediction.inputs import Inputs, read
from unroll.prediction.memory import load_memory, write_memory
from unroll.prediction.predictor import Predictor, load
from unroll.prediction.table import as_table, check_name, write_table
from unroll.prediction.times import ahead


def predict(given: Path, out: Path, model: str, state: Path | None, save_state: Path | None) -> None:
    """Write what the model says of every sequence of `given`; with a state, go on from where others ended."""
    torch.set_num_threads(1)    # a step of a single sequence is so little that threads would only wait for each other
    check_name(out)
    _check_places(given, out, save_state)
    with model_folder(model) as folder:
        predictor = load(folder)
    inputs = read(given, predictor.spec)
    memory = None
    if state is not None:
        memory = load_memory(state, predictor.memory(len(inputs.names)), inputs.names, predictor.model.digest)
    elif save_state is not None:
        memory = predictor.memory(len(inputs.names))
    before = None if memory is None else memory.steps.tolist()
    try:
        # what is saved goes on later, so that its texts do not end here
        predictions = predictor.predict(inputs.sequences, memory, save_state is None, inputs.names)
    except UserError as error:
        raise UserError(f"{given}: {error}") from None
    table = as_table(predictor, predictions, inputs.names, before)
    stamps = _stamps(predictor, inputs)
    if stamps is not None:
        table.insert(2, "time", stamps)
    with ExitStack() as both:       # both files, or none
        write_table(table, both.enter_context(replacing(out)), out.suffix)
        if save_state is not None and memory is not None:
            temporary = both.enter_context(replacing(save_state))
            write_memory(temporary, memory, inputs.names, predictor.model.digest)
    if save_state is not None:
        print(f"predict: the state of {len(inputs.names):,} sequences → {save_state}")
    print(f"predict: {len(table):,} rows for {len(inputs.names):,} sequences → {out}")


def _check_places(given: Path, out: Path, save_state: Path | None) -> None:
    """What is written must neither replace a folder nor what is read; raises before anything is done."""
    written = [path for path in (out, save_state) if path is not None]
    for path in written:
        parent = next(each for each in path.absolute().parents if each.exists())
        if path.is_dir() or not parent.is_dir():
            raise UserError(f"{path}: {'is a folder' if path.is_dir() else f'{parent} is no folder'}. Give a file.")
    for one, other in combinations([given, *written], 2):
        try:
            same = one.resolve() == other.resolve()
        except RuntimeError as error:       # links that lead in a circle
            raise UserError(f"{error}. Give a file.") from None
        if same:
            raise UserError(f"{other}: would be written over {one}. Give another file.")


def _stamps(predictor: Predictor, inputs: Inputs) -> list[str] | None:
    """Of forecasts of a table with times, the time of each step ahead; a variable each has rows of its own."""
    if predictor.spec.targets[predictor.target].kind != "forecast" or inputs.times is None:
        return None
    spec = predictor.spec
    assert spec.forecast is not None
    form, variables = spec.reading.time_format, spec.targets[predictor.target].size
    stamps: list[str] = []
    for times in inputs.times:
        later = ahead(times, spec.forecast.horizon, form)
        if later is None:
            return None
        stamps += [str(each) for each in np.repeat(later, variables)]
    return stamps
