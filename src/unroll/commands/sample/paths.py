"""Paths that series could take: a table of samples, and a fan chart of each series."""

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
from unroll.prediction.table import paths_table
from unroll.prediction.table_files import write_table
from unroll.prediction.times import ahead, on_axis

PICTURES = 50       # at most: each takes longer than its paths


@dataclass(frozen=True, kw_only=True)
class Request:
    prompts: tuple[str, ...] = ()       # one file
    out: Path | None = None
    count: int = 100                    # paths of each series
    seed: int = 1
    threads: int = 1                    # a step is so short that more threads would wait for each other


RULES = ("length", "temperature")       # the sampling settings that apply; the length in steps
OPTIONS = frozenset({*RULES, *(field.name for field in fields(Request))})


def sample(model: ModelFolder, typed: dict[str, Any]) -> None:
    """Write paths.csv, `count` paths of each series in the file, and 001.png, … of each series."""
    assert model.spec.forecast is not None
    given = {name: typed[name] for name in RULES if name in typed}
    rules = sampling(COMMAND_NUMBERS, **{"length": model.spec.forecast.horizon, **given})
    request = Request(**{name: value for name, value in typed.items() if name not in RULES})
    if len(request.prompts) != 1:
        raise UserError("missing-value", "sample", "a forecaster reads one file of series. Give it: unroll sample FILE "
                        "-o FOLDER.")
    out = check_folder(request.out, "paths")
    if rules.length is None:
        raise UserError("unsupported", "--length", "only a text may have no end. Give a number.")
    torch.set_num_threads(request.threads)
    predictor, inputs = load(model.folder), read(Path(request.prompts[0]), model.spec)
    try:
        drawn = [sample_paths(predictor, series, request.count, rules.length, request.seed, rules.temperature,
                              number * request.count, name)
                 for number, (name, series) in enumerate(zip(inputs.names, inputs.sequences, strict=True))]
    except UserError as error:
        raise error.within(request.prompts[0]) from None
    reading = model.spec.reading
    times = [ahead(stamps, rules.length, reading.time_format, reading.frequency) for stamps in inputs.times or ()]
    known = [stamps for stamps in times if stamps is not None]
    table = paths_table(predictor, drawn, inputs.names, known if len(known) == len(drawn) else None)
    with replacing(out / "paths.csv") as temporary:
        write_table(table, temporary, ".csv")
    for number, (series, paths) in enumerate(zip(inputs.sequences[:PICTURES], drawn, strict=False), 1):
        past, later = history(predictor, series, rules.length), times[number - 1] if times else None
        axis = None if later is None else on_axis([*inputs.stamps(number - 1, len(past)), *later],
                                                  len(past) + rules.length, reading.time_format)
        sampled_paths(past, paths, predictor.forecast.labels, out / f"{number:03d}.png", axis, reading.time or "")
    pictures = f", pictures of the first {PICTURES}" if len(drawn) > PICTURES else ""
    print(f"sample: {request.count:,} paths of {rules.length:,} steps of {len(drawn):,} series{pictures} → {out}")
