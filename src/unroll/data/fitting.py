"""A codec for each field of the data, fitted on the training split."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from unroll.base.errors import UserError
from unroll.config.data import CONTEXT, FUTURE, KNOWN_AHEAD, PER_SEQUENCE, STATIC, DataConfig, ForecastConfig
from unroll.config.tokenizer import tokenizer_of
from unroll.data.categories import CategoryCodec, ClassCodec
from unroll.data.codecs import Codec, NumberCodec, Per, PerTarget, SeriesCodec, TextCodec
from unroll.data.encoders import Moments
from unroll.data.frame import Frame
from unroll.data.gap import GapCodec
from unroll.data.missing import Missing
from unroll.data.source import Source, sequence_name
from unroll.data.spec import ForecastSpec
from unroll.data.tokenizers import Tokenizer, fit


def fit_codecs(config: DataConfig, source: Source, project: Path = Path()) -> dict[str, Codec]:
    """The codecs of all fields that have arrays: inputs, and targets that are not an input's future.

    Each is a pass over the training split.
    """
    for name in config.shifted if source.layout == "stream" else ():
        raise UserError("unsupported", f"data.targets.{name}", f"{config.targets[name]} at each step beside the next "
                        "symbol, but the data is a single long text. Give it as separate sequences.")
    inputs = {name: _input(config, source, name, project) for name in config.inputs}
    return inputs | {name: _target(config, source, name) for name, kind in config.targets.items() if kind not in FUTURE}


def _input(config: DataConfig, source: Source, name: str, project: Path) -> Codec:
    values, target, given = _values(source, name), config.targets.get(name), config.inputs[name]
    kind = KNOWN_AHEAD.get(given, given)
    drawn, ending = name in config.drawn, config.ending(source.layout == "items")
    closed = drawn and ending not in (None, name)
    per: Per = "sequence" if kind in STATIC else "own" if kind in CONTEXT else "step"
    if kind in ("tokens", "context_tokens"):
        return TextCodec(_tokenizer(config, source, name, project), per, drawn)
    if kind in ("categories", "static_categories", "context_categories"):
        return (CategoryCodec.fit_drawn(name, values, name == ending, closed) if drawn
                else CategoryCodec.fit(values, per))
    missing = config.missing_numbers
    if missing == "interpolate" and source.layout == "stream":
        raise UserError("unsupported", "data.missing", "a line from one neighbour to the next is not drawn over a "
                        "single long sequence, which is read piece by piece. Choose forward, mean or mask.")
    if missing is not None and source.layout == "windows" and target != "forecast":
        # no window may see what comes after it, unless that is known ahead
        missing = "interpolate" if given in KNOWN_AHEAD else "forward" if missing == "interpolate" else missing
    codec: NumberCodec
    if kind == "gap":
        codec = GapCodec().fit(_scale(config), values)
    elif target == "forecast":
        settings: ForecastConfig = config.forecast      # type: ignore[attr-defined]
        codec = SeriesCodec(_forecast(settings, source, name, missing), missing).fit_frame(values)
    else:
        codec = NumberCodec(per, target == "next_labels", drawn=drawn, closed=closed, missing=missing).fit(
            _scale(config), values)
    for number in np.flatnonzero(~codec.ever)[:1] if missing or kind == "gap" else ():
        column = f", column {source.columns[name][number]!r}" if name in source.columns else f", number {number + 1}"
        raise UserError("empty", f"data.inputs.{name}{column}", "no value is known in the train split. Leave it out.")
    return codec


def _forecast(settings: ForecastConfig, source: Source, name: str, missing: Missing | None) -> ForecastSpec:
    """The windows; what a forecast starts from is chosen on the validation split, if that is asked for."""
    counts = settings.log == "counts"
    found = {**settings.model_dump(), "log": settings.log is True, "counts": counts}
    if settings.start != "better" or counts:        # counts are no correction of anything
        return ForecastSpec(**{**found, "start": "season" if counts else settings.start})
    ways = {start: Frame.plain(ForecastSpec(**{**found, "start": start}), missing) for start in ("season", "last")}
    errors = {start: Moments() for start in ways}
    for piece in source.pieces("validation"):
        for start, frame in ways.items():
            for error in frame.errors(np.asarray(piece[name])):
                errors[start].add(error)
    season, last = (errors[start].mean for start in ways)
    better = np.nanmean(last / np.where(season > 0, season, np.nan)) < 1 if season.any() else False
    return ForecastSpec(**{**found, "start": "last" if better else "season"})


def _target(config: DataConfig, source: Source, name: str) -> Codec:
    values, kind = _values(source, name), config.targets[name]
    per: PerTarget = "sequence" if kind in PER_SEQUENCE else "step"
    if kind in ("class", "tag"):
        return ClassCodec.fit(name, values, per)
    if kind == "labels":
        return NumberCodec(labels=True, partial=True)
    return NumberCodec(per, partial=True).fit(_scale(config), values)


def _tokenizer(config: DataConfig, source: Source, name: str, project: Path) -> Tokenizer:
    settings = tokenizer_of(getattr(config, "tokenizer", None), name)
    if settings is None:
        raise UserError("missing-value", "data.tokenizer", f"the input {name} has tokens; choose data/tokenizer=char "
                        "or bpe.")
    # a symbol that closes an item would have no values of its own, unless the targets' rows begin before the first step
    aligned = (not config.shifted and any(kind not in FUTURE and kind not in PER_SEQUENCE
                                          for kind in config.targets.values())) or len(config.step_inputs) > 1
    items = source.layout == "items"
    ends = config.ending(items) == name if config.drawn else items and not aligned and name in config.step_inputs
    return fit(settings.within(project), ends, (text for _, text in _values(source, name)))


def _values(source: Source, name: str) -> Iterator[tuple[str, Any]]:
    """A field's values in the training split, each after its place."""
    places = source.places("train")
    for index, piece in enumerate(source.pieces("train")):
        place = sequence_name(places, "train", 0 if source.layout == "stream" else index)
        yield f"data.{name}, {place}", piece[name]


def _scale(config: DataConfig) -> str:
    scale: str = getattr(config, "scale", "none")
    return scale
