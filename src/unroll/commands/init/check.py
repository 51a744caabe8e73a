"""Checks that a draft reads its data: opens and encodes it once, as `prepare` does."""

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import yaml
from pydantic import TypeAdapter, ValidationError

from unroll.base.errors import UserError
from unroll.commands.init.draft import Draft, report, spread
from unroll.config.data import CONTEXT, FUTURE, STATIC, DataConfig
from unroll.config.load import explain
from unroll.data.fitting import fit_codecs
from unroll.data.source import SPLITS, UNKNOWN, Source
from unroll.data.writer import write_prepared
from unroll.sources import Access, open_source

LEAST = 20      # steps of a single sequence


def check(project: Path, draft: Draft) -> None:
    """Open the source, report each split, and write it to a temporary folder; raises `UserError` where that fails."""
    values = dict(draft.data)
    if draft.tokenizer is not None:
        file = project / "conf" / "data" / "tokenizer" / f"{draft.tokenizer}.yaml"
        values["tokenizer"] = yaml.safe_load(file.read_text(encoding="utf-8"))
    try:
        config: Any = TypeAdapter(DataConfig).validate_python(values)
    except ValidationError as error:
        raise UserError("wrong-type", "data", explain(error, values)) from None
    source, origin = open_source(config, Access(project, scratch=project / "data"))
    for note in source.notes:
        report("left out", note, "min_length in conf/data")
    codecs = None
    if draft.data["kind"] != "text":        # fitting a tokenizer to all of a long text takes its time
        codecs = fit_codecs(config, source, project)
    for split in SPLITS:
        content = _describe(source, split, config)
        if content is None:
            raise UserError("too-short", "data", f"nothing is left for the {split} split; there is too little of it. "
                            "Give more data.")
        report(split, content)
    if codecs is not None:
        _check_size(source, config)
        with TemporaryDirectory(prefix=".prepared.", dir=project / "data") as folder:     # it may be large
            write_prepared(Path(folder) / "prepared", config, source, origin, codecs)


def _check_size(source: Source, config: Any) -> None:
    """Raises `UserError` on a single sequence of so few steps that there is nothing to learn or to measure."""
    if source.layout != "stream":
        return
    name = config.step_inputs[0]
    steps = sum(len(piece[name]) for split in SPLITS for piece in source.pieces(split))
    if steps < LEAST:
        raise UserError("too-short", "data", f"{steps} rows, which are the steps of one sequence, are too few to train "
                        "and to measure by. Give more; or, if rows are not steps, name the column that tells sequences "
                        "apart: --series COLUMN.")


def _describe(source: Source, split: Any, config: Any) -> str | None:
    """The sequences of a split, their lengths, and what is known of each target; None when it is empty."""
    text = next((name for name, kind in config.inputs.items() if kind == "tokens"), None)
    field = text or next(name for name, kind in config.inputs.items() if kind not in (*STATIC, *CONTEXT))
    lengths: list[int] = []
    known = {name: Known(kind) for name, kind in config.targets.items() if kind not in FUTURE}
    for piece in source.pieces(split):
        lengths.append(len(piece[field]))
        for name, counts in known.items():
            counts.add(piece[name])
    unit = "characters" if text else "steps"
    if not sum(lengths):
        return None
    if source.layout == "stream":
        return f"{sum(lengths):,} {unit}"
    if source.layout == "windows":
        before = config.forecast.context + config.forecast.season + config.forecast.horizon - 1
        origins = sum(length - before for length in lengths)
        series = len({place.name for place in source.places(split)})
        pieces = f" in {len(lengths):,} stretches without gaps" if len(lengths) > series else ""
        return f"{series:,} series{pieces}, {origins:,} forecasts of {config.forecast.horizon} steps"
    found = f"{len(lengths):,} sequence{'s' * (len(lengths) > 1)}, {spread(lengths).replace('steps', unit)}"
    targets = [f"{name}: {words}" if len(known) > 1 else words
               for name, counts in known.items() if (words := str(counts))]
    return ": ".join([found, "; ".join(targets)] if targets else [found])


class Known:
    """Counts the classes of a target, and its values that are known and unknown."""

    def __init__(self, kind: str) -> None:
        self._classes: Counter[str] | None = Counter() if kind == "class" else None
        self._known = self._unknown = 0

    def add(self, value: Any) -> None:
        if self._classes is not None and value != UNKNOWN:
            self._classes[value] += 1
        values = np.asarray(value)
        unknown = int((values == UNKNOWN if values.dtype.kind in "UO" else np.isnan(values)).sum())
        self._known, self._unknown = self._known + values.size - unknown, self._unknown + unknown

    def __str__(self) -> str:
        """Empty where there is nothing to say."""
        unknown = f"{self._unknown:,} of {self._known + self._unknown:,} unknown" if self._unknown else ""
        classes = sorted((self._classes or {}).items())
        common = ", ".join(f"{name} {count:,}" for name, count in classes[:8]) + ", …" * (len(classes) > 8)
        return ", ".join(part for part in (common, unknown) if part)
