"""The UCR and UEA archives through aeon: data sets that it brings along, and files of their `.ts` format."""

import contextlib
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from unroll.base.errors import UserError
from unroll.config.data import AeonData, TsData
from unroll.data.source import Piece, Source
from unroll.sources.in_memory import GAPS, Items, Series
from unroll.sources.splits import deal
from unroll.sources.text import find_files

LICENCE = "not stated by the archive; cite timeseriesclassification.com"


def _aeon() -> Any:
    """aeon's data sets; the error that misses it names the extra."""
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            from aeon import datasets
    except ImportError:
        raise UserError(
            "data.kind: this source is read by aeon, which is not installed. Install the extra: pip install "
            "'unroll[aeon]', or `make install`, which has it."
        ) from None
    return datasets


def open_archive(config: AeonData | TsData, project: Path) -> tuple[Source, str, str]:
    if isinstance(config, TsData):
        return _open_ts(config, project), config.train, config.licence
    datasets = _aeon()
    if config.dataset in ("Airline", "Solar"):
        return _open_series(config, datasets), f"{config.dataset} of aeon", LICENCE
    loaders: dict[str, Callable[..., Any]] = {
        "GunPoint": datasets.load_gunpoint,
        "JapaneseVowels": datasets.load_japanese_vowels,
        "BasicMotions": datasets.load_basic_motions,
        "Covid3Month": datasets.load_covid_3month,
    }
    if config.dataset == "Covid3Month" and set(config.targets.values()) != {"value"}:
        raise UserError("data.targets: Covid3Month has a value for each sequence: targets: {y: value}.")
    load = loaders[config.dataset]
    train, test = _pieces(config, *load(split="train")), _pieces(config, *load(split="test"))
    return _held_out(config, train, test), f"{config.dataset} of the UCR and UEA archives", LICENCE


def _pieces(config: AeonData | TsData, x: Any, y: Any) -> list[Piece]:
    """aeon has cases (F, T), in an array or, of unequal lengths, a list."""
    (inputs,), (target,) = config.inputs, config.targets
    wanted = config.targets[target]
    values = np.asarray(y)
    if wanted == "value":
        try:
            values = values.astype(np.float64)
        except ValueError:
            raise UserError(f"data.targets.{target}: {str(values[0])!r} is no number; the file has classes: use "
                            "class.") from None
    elif wanted != "class":
        raise UserError(f"data.targets.{target}: the archive has one class or value a sequence, not {wanted}.")
    return [{inputs: np.asarray(case).T, target: each if wanted == "value" else str(each)}
            for case, each in zip(x, values, strict=True)]


def _held_out(config: AeonData | TsData, train: list[Piece], test: list[Piece]) -> Items:
    """The archive's own test split; validation is dealt from its training split."""
    (target,) = config.targets
    labels = [piece[target] for piece in train] if config.targets[target] == "class" else None
    splits = dict(deal(len(train), labels, config.validation, 0, config.seed))
    splits["test"] = np.arange(len(train), len(train) + len(test))
    return Items([*train, *test], splits, [str(number + 1) for part in (train, test) for number in range(len(part))])


def _open_series(config: AeonData, datasets: Any) -> Series:
    if config.forecast is None or config.test is None:
        raise UserError(f"data: {config.dataset} is a series to forecast: give data.forecast and data.test, as "
                        f"experiment={config.dataset.lower()} does.")
    series = {"Airline": datasets.load_airline, "Solar": datasets.load_solar}[config.dataset]()
    (field,) = config.inputs
    values = np.asarray(series, np.float64).reshape(-1, 1)
    return Series(field, [values], [config.dataset], config.forecast, config.validation, config.test)


def load_ts(file: Path) -> tuple[Any, Any]:
    """Cases (F, T) and their classes or values; raises `UserError` on a file that aeon does not read."""
    try:
        return _aeon().load_from_ts_file(str(file))     # type: ignore[no-any-return]
    except (OSError, ValueError, IndexError, KeyError, TypeError, UnicodeDecodeError) as error:
        reason = re.sub(r"<_io[^>]*>", "it", str(error))
        raise UserError(f"{file}: not a .ts file that aeon reads: {reason}") from None


def cases(file: Path) -> list[Any]:
    """(T, F) each, without their targets."""
    return [np.asarray(case).T for case in load_ts(file)[0]]


def _open_ts(config: TsData, project: Path) -> Items:
    def read(path: str) -> list[Piece]:
        file, *more = find_files(project, path)
        if more:
            raise UserError(f"data: {path!r} is {1 + len(more)} files, {file.name} and {more[0].name} among them; a "
                            "split is one. Give its name.")
        x, y = load_ts(file)
        if not len(x):
            raise UserError(f"{file}: not a .ts file that aeon reads: there is no sequence in it.")
        if len(y) != len(x):
            raise UserError(f"{file}: its sequences have no class and no value to be learnt. Give a file with a "
                            "@classLabel or a @targetLabel.")
        for number, case in enumerate(x, 1):
            for place, step in np.argwhere(~np.isfinite(case))[:1]:
                raise UserError(f"{file}: sequence {number}, dimension {place + 1}, step {step + 1} is "
                                f"{case[place, step]}. {GAPS}")
        return _pieces(config, x, y)

    train = read(config.train)
    if isinstance(config.test, str):
        return _held_out(config, train, read(config.test))
    (target,) = config.targets
    labels = [piece[target] for piece in train] if config.targets[target] == "class" else None
    splits = deal(len(train), labels, config.validation, config.test, config.seed)
    return Items(train, splits, [str(number + 1) for number in range(len(train))])
