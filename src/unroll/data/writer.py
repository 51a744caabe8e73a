"""Source → prepared folder: every split encoded and written in one pass."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.base.files import sha256, write_json, write_json_list
from unroll.config.data import FUTURE, KNOWN_AHEAD, DataConfig
from unroll.data.codecs import SeriesCodec, TextCodec
from unroll.data.source import SPLITS, Origin, Source, Split
from unroll.data.spec import Counts, InputSpec, SourceSpec, Spec, TargetSpec
from unroll.data.split_writer import Codecs, SplitWriter
from unroll.data.store import PLACES, SPEC, TOKENIZER, Contents


def write_prepared(folder: Path, config: DataConfig, source: Source, origin: Origin, codecs: Codecs) -> None:
    """Encode every split into `folder`, one pass each; raises `UserError` when a split is empty or ill-formed."""
    folder.mkdir(parents=True)
    splits: dict[Split, Counts] = {}
    longest: dict[str, int] = {}
    occurrences: dict[str, NDArray[np.int64]] = {}
    for split in SPLITS:
        with SplitWriter(folder, source, split, codecs, config.inputs, config.shifted) as writer:
            for piece in source.pieces(split):
                writer.add(piece)
        writer.check_known()
        splits[split] = writer.counts()
        if places := source.places(split):
            write_json_list(folder / PLACES.format(split=split), (place.entry for place in places))
        if not splits[split].sequences:
            raise UserError("empty", "data", f"the {split} split is empty; the source is too short. Give more of it.")
        if split == "train":
            longest, occurrences = writer.longest, writer.occurrences
    for name, codec in codecs.items():
        if isinstance(codec, TextCodec):
            write_json(folder / TOKENIZER.format(field=name), codec.tokenizer.state())
    steps = max(longest.get(name, 0) for name, codec in codecs.items() if codec.per == "step")
    forecast = next((codec.forecast for codec in codecs.values() if isinstance(codec, SeriesCodec)), None)
    spec = Spec(
        layout=source.layout, longest=steps if forecast is None else forecast.context,
        inputs=_inputs(config, source, codecs, longest), targets=_targets(config, source, codecs, occurrences),
        forecast=forecast, splits=splits, reading=source.reading,
        source=SourceSpec(kind=config.kind, name=origin.name, licence=origin.licence, sha256=origin.sha256),
    )
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    contents = Contents(spec=spec, configuration=config.model_dump(mode="json"),
                        files={file.relative_to(folder).as_posix(): sha256(file) for file in files})
    write_json(folder / SPEC, contents.model_dump(mode="json"))


def _inputs(config: DataConfig, source: Source, codecs: Codecs, longest: Mapping[str, int]) -> dict[str, InputSpec]:
    inputs = {name: codecs[name].describe_input(name in config.targets, _names(source, name)) for name in config.inputs}
    more = {name: {"longest": longest[name]} if field.per == "own"
            else {"known_ahead": True, "calendar": config.inputs[name] == "calendar"}
            if config.inputs[name] in KNOWN_AHEAD else {} for name, field in inputs.items()}
    return {name: field.model_copy(update=more[name]) for name, field in inputs.items()}


def _targets(
    config: DataConfig, source: Source, codecs: Codecs, occurrences: Mapping[str, NDArray[np.int64]]
) -> dict[str, TargetSpec]:
    targets = {name: codecs[name].describe_target(name if kind in FUTURE else None, _names(source, name))
               for name, kind in config.targets.items()}
    return {name: field.model_copy(update={"counts": tuple(occurrences[name].tolist())}) if name in occurrences
            else field for name, field in targets.items()}


def _names(source: Source, field: str) -> tuple[str, ...] | None:
    return tuple(source.columns[field]) if field in source.columns else None
