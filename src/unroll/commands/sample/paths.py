"""How series could go on: a table of sampled paths, and a fan chart of each series."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch

from unroll.base.errors import UserError
from unroll.base.files import replacing
from unroll.commands.out_folder import check_folder
from unroll.config.sampling import COMMAND_NUMBERS, sampling
from unroll.drawing.generation import sampled_paths
from unroll.models.manifest import ModelFolder
from unroll.prediction.inputs import read
from unroll.prediction.paths import history, sample_paths
from unroll.prediction.predictor import load
from unroll.prediction.table import paths_table, value_names, write_table
from unroll.prediction.times import ahead

PICTURES = 50       # at most: each takes longer than its paths


@dataclass(frozen=True, kw_only=True)
class Wanted:
    prompts: tuple[str, ...] = ()       # one file
    out: Path | None = None
    count: int = 100                    # paths of each series
    length: int | None                  # steps
    temperature: float = 1.0
    seed: int = 1
    threads: int = 1                    # a step is so little that more would wait for each other


OPTIONS = frozenset(each.name for each in fields(Wanted))


def sample(opened: ModelFolder, given: dict[str, Any]) -> None:
    """Write paths.csv, `count` paths of each series in the file, and 001.png, … of each series."""
    predictor = load(opened.folder)
    assert predictor.spec.forecast is not None
    wanted = Wanted(**{"length": predictor.spec.forecast.horizon, **given})
    out = check_folder(wanted.out, "paths")
    length = sampling(COMMAND_NUMBERS, length=wanted.length, temperature=wanted.temperature).length
    if length is None:
        raise UserError("unsupported", "--length", "only a text can be without an end. Give a number.")
    if len(wanted.prompts) != 1:
        raise UserError("sample: a forecaster reads one file of series. Give it: unroll sample FILE -o FOLDER.")
    torch.set_num_threads(wanted.threads)
    inputs = read(Path(wanted.prompts[0]), predictor.spec)
    try:
        drawn = [sample_paths(predictor, series, wanted.count, length, wanted.seed, wanted.temperature,
                              number * wanted.count, name)
                 for number, (name, series) in enumerate(zip(inputs.names, inputs.sequences, strict=True))]
    except UserError as error:
        raise UserError(f"{wanted.prompts[0]}: {error}") from None
    form = predictor.spec.reading.time_format
    times = [ahead(each, length, form) for each in inputs.times or ()]
    known = [each for each in times if each is not None]
    table = paths_table(predictor, drawn, inputs.names, known if len(known) == len(drawn) else None)
    with replacing(out / "paths.csv") as temporary:
        write_table(table, temporary, ".csv")
    for number, (series, paths) in enumerate(zip(inputs.sequences[:PICTURES], drawn, strict=False), 1):
        sampled_paths(history(predictor, series, length), paths, value_names(predictor), out / f"{number:03d}.png")
    shown = f", pictures of the first {PICTURES}" if len(drawn) > PICTURES else ""
    print(f"sample: {wanted.count:,} paths of {length:,} steps of {len(drawn):,} series{shown} → {out}")
