"""What is fitted on the training split, and how `spec.json` tells of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.config.data import DataConfig, ForecastConfig
from unroll.data.encoders import Classes, Frame, Scaler
from unroll.data.source import Source, called
from unroll.data.spec import ForecastSpec, InputSpec, TargetSpec
from unroll.data.tokenizers import Tokenizer, fit

Values = NDArray[Any]
LARGEST = 1e38      # where single precision ends


@dataclass
class Encoders:
    """What is fitted on the training split, by field."""

    tokenizers: dict[str, Tokenizer] = field(default_factory=dict)
    classes: dict[str, Classes] = field(default_factory=dict)
    scalers: dict[str, Scaler] = field(default_factory=dict)
    frame: Frame | None = None
    sizes: dict[str, int] = field(default_factory=dict)     # of reals and labels, numbers a step


def fit_encoders(config: DataConfig, source: Source) -> Encoders:
    """Each field's encoder, from a pass over the training split of its own."""
    made, places = Encoders(), source.places("train")

    def train(name: str) -> Iterator[Any]:
        return (piece[name] for piece in source.pieces("train"))

    def rows(name: str, per_step: bool) -> Iterator[Values]:
        for index, value in enumerate(train(name)):
            each = as_rows(value, per_step)
            where = f"data.{name}, {called(places, 'train', index)}"
            check_width(made.sizes, name, each, where)
            check_numbers(config, each, where)
            yield each

    for name, kind in config.inputs.items():
        if kind == "tokens":
            # a symbol that closes an item would have no label of its own
            items = source.layout == "items" and not {"tag", "labels", "values"} & set(config.targets.values())
            asked = getattr(config, "tokenizer", None)
            if asked is None:
                raise UserError(f"data.tokenizer: the input {name} is of tokens; choose data/tokenizer=char or bpe.")
            made.tokenizers[name] = fit(asked, items, train(name))
        elif source.layout != "windows":
            made.scalers[name] = Scaler.fit(getattr(config, "scale", "none"), rows(name, True))
    for name, target in config.targets.items():
        if target in ("class", "tag"):
            made.classes[name] = Classes.fit(train(name))
            if len(made.classes[name].names) < 2:
                raise UserError(f"data.targets.{name}: the training split has one class alone, "
                                f"{made.classes[name].names}. Give examples of another, or another data.seed.")
        elif target in ("value", "values"):
            made.scalers[name] = Scaler.fit(getattr(config, "scale", "none"), rows(name, target == "values"))
        elif target == "forecast":
            settings: ForecastConfig = config.forecast      # type: ignore[attr-defined]
            made.frame = Frame.fit(ForecastSpec(**settings.model_dump()), list(rows(name, True)))
    return made


def as_rows(value: Any, per_step: bool) -> Values:
    """(T, F) of a field with a row a step, where one number a step may come as (T,); (1, F) of a sequence."""
    rows = np.atleast_1d(value)
    return rows.reshape(len(rows), int(np.prod(rows.shape[1:]))) if per_step else rows.reshape(1, -1)


def check_width(sizes: dict[str, int], name: str, rows: Values, where: str) -> None:
    known = sizes.setdefault(name, rows.shape[1])
    if rows.shape[1] != known:
        raise UserError(f"{where}: {rows.shape[1]} numbers a step where others have {known}.")


def check_numbers(config: DataConfig, rows: Values, where: str) -> None:
    forecast = getattr(config, "forecast", None)
    wrong, advice = ~np.isfinite(rows), ". Missing and infinite values are not supported yet; fill or leave them out."
    if not wrong.any():
        wrong, advice = np.abs(rows) > LARGEST, " is too large a number. Give it in a larger unit."
    if not wrong.any() and forecast is not None and forecast.log:
        wrong, advice = rows <= 0, " has no logarithm. Set data.forecast.log=false."
    if wrong.any():
        step, number = np.argwhere(wrong)[0]
        raise UserError(f"{where}, step {step + 1}, number {number + 1}: {rows[step, number]:g}{advice}")


def check_labels(rows: Values, where: str) -> None:
    for step, number in np.argwhere((rows != 0) & (rows != 1))[:1]:
        raise UserError(f"{where}, step {step + 1}, number {number + 1}: {rows[step, number]:g} where a label is 0 or "
                        "1. Mend it, or choose the target next.")


def describe_input(config: DataConfig, name: str, encoders: Encoders, source: Source) -> InputSpec:
    names = _names(source, name)
    if name in encoders.tokenizers:
        tokenizer = encoders.tokenizers[name]
        begin = tokenizer.begin if config.targets.get(name) == "next" else None
        return InputSpec(kind="tokens", size=tokenizer.size, width=1, begin=begin, names=names)
    if encoders.frame is not None:
        return InputSpec(kind="real", size=len(encoders.frame.inputs.mean), width=encoders.sizes[name], names=names)
    scaler = encoders.scalers[name]
    size = len(scaler.mean)
    return InputSpec(kind="real", size=size, width=size, scale=scaler.state(), names=names)


def describe_target(config: DataConfig, name: str, encoders: Encoders, source: Source) -> TargetSpec:
    names = _names(source, name)
    match config.targets[name]:
        case "next" if name in encoders.tokenizers:
            return TargetSpec(kind="classes", per="step", of=name, size=encoders.tokenizers[name].size)
        case "next_labels":
            return TargetSpec(kind="labels", per="step", of=name, ahead=1, size=encoders.sizes[name], names=names)
        case "next":
            scaler = encoders.scalers[name]
            return TargetSpec(kind="reals", per="step", of=name, ahead=1, size=len(scaler.mean), scale=scaler.state(),
                              names=names)
        case "class" | "tag" as target:
            classes = tuple(encoders.classes[name].names)
            return TargetSpec(kind="classes", per="sequence" if target == "class" else "step", size=len(classes),
                              classes=classes)
        case "labels":
            return TargetSpec(kind="labels", per="step", size=encoders.sizes[name], names=names)
        case "value" | "values" as target:
            scaler = encoders.scalers[name]
            return TargetSpec(kind="reals", per="sequence" if target == "value" else "step", size=len(scaler.mean),
                              scale=scaler.state(), names=names)
        case _:
            assert encoders.frame is not None
            return TargetSpec(kind="forecast", per="sequence", of=name, size=encoders.sizes[name],
                              frame=encoders.frame.state(), names=names)


def _names(source: Source, field: str) -> tuple[str, ...] | None:
    return tuple(source.columns[field]) if field in source.columns else None
