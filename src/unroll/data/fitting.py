"""What is fitted on the training split, and how `spec.json` tells of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.config.data import DataConfig
from unroll.data.encoders import Classes, Frame, Scaler
from unroll.data.source import Source, called
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
            made.frame = Frame.fit(config.forecast, list(rows(name, True)))      # type: ignore[union-attr, arg-type]
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


def describe_input(config: DataConfig, name: str, encoders: Encoders, source: Source) -> dict[str, Any]:
    if name in encoders.tokenizers:
        tokenizer = encoders.tokenizers[name]
        begin = {"begin": tokenizer.begin} if config.targets.get(name) == "next" else {}
        return {"kind": "tokens", "size": tokenizer.size, **begin}
    if encoders.frame is not None:
        return {"kind": "real", "size": len(encoders.frame.inputs.mean), "columns": encoders.sizes[name]}
    scaler = encoders.scalers[name]
    named = {"names": list(source.columns[name])} if name in source.columns else {}
    return {"kind": "real", "size": len(scaler.mean), "scale": scaler.state(), **named}


def describe_target(config: DataConfig, name: str, encoders: Encoders) -> dict[str, Any]:
    """`kind` is what a loss is of: classes, labels, reals or a forecast; `per` step or sequence."""
    match config.targets[name]:
        case "next" if name in encoders.tokenizers:
            return {"kind": "classes", "per": "step", "of": name, "size": encoders.tokenizers[name].size}
        case "next_labels":
            return {"kind": "labels", "per": "step", "of": name, "ahead": 1, "size": encoders.sizes[name]}
        case "next":
            scaler = encoders.scalers[name]
            return {"kind": "reals", "per": "step", "of": name, "ahead": 1, "size": len(scaler.mean),
                    "scale": scaler.state()}
        case "class" | "tag" as target:
            names = encoders.classes[name].names
            return {"kind": "classes", "per": "sequence" if target == "class" else "step", "size": len(names),
                    "classes": names}
        case "labels":
            return {"kind": "labels", "per": "step", "size": encoders.sizes[name]}
        case "value" | "values" as target:
            scaler = encoders.scalers[name]
            return {"kind": "reals", "per": "sequence" if target == "value" else "step", "size": len(scaler.mean),
                    "scale": scaler.state()}
        case _:
            assert encoders.frame is not None
            return {"kind": "forecast", "per": "sequence", "of": name, "size": encoders.sizes[name],
                    "frame": encoders.frame.state()}
