"""Source → prepared folder."""

from collections.abc import Iterator
from pathlib import Path

from unroll.base.files import replacing
from unroll.base.workspace import Workspace
from unroll.config.data import DataConfig
from unroll.config.runtime import RuntimeConfig
from unroll.data.fitting import fit_codecs
from unroll.data.source import SPLITS
from unroll.data.spec import Counts
from unroll.data.store import Prepared, open_prepared
from unroll.data.writer import write_prepared
from unroll.sources import Access, open_source

SHOWN = 12      # classes that are printed by name


def prepare(workspace: Workspace, runtime: RuntimeConfig, data: DataConfig) -> None:
    """Read the source, fit the codecs on its training split, and write every split."""
    mirror = Path(runtime.mirror) if runtime.mirror else None
    workspace.prepared.parent.mkdir(parents=True, exist_ok=True)
    access = Access(workspace.project, mirror, runtime.progress, scratch=workspace.prepared.parent)
    source, origin = open_source(data, access)
    codecs = fit_codecs(data, source, workspace.project)
    with replacing(workspace.prepared) as folder:
        write_prepared(folder, data, source, origin, codecs)
    for line in summary(open_prepared(workspace.prepared)):
        print(f"prepare: {line}")
    for note in source.notes:
        print(f"prepare: {note}")
    print(f"prepare: {origin.name} → {workspace.prepared}")


def summary(prepared: Prepared) -> Iterator[str]:
    """A line for each split and each field."""
    spec = prepared.spec
    for split in SPLITS:
        yield f"{split}: {', '.join(sizes(spec.splits[split], spec.layout == 'stream'))}"
    for name, field in spec.inputs.items():
        own = known(prepared, name) if field.missing or name in spec.drawn else ()
        yield "; ".join([f"{name}: {field.kind} of size {field.size}", *own])
    for name, target in spec.targets.items():
        classes = f" {', '.join(target.classes)}" if target.classes and len(target.classes) <= SHOWN else ""
        own = known(prepared, name) if target.of is None else ()       # else the input's line tells
        yield "; ".join([f"{name}: {target.kind} of size {target.size}{classes}", *own])


def known(prepared: Prepared, name: str) -> Iterator[str]:
    """How much is known of a field, in splits where that is not everything.

    Of targets, what is not of a split's own steps does not count: rows before a text's first symbol, or those of
    another split from which a forecast is made. Nor does, of what is drawn, a row that is of another field's end.
    """
    spec = prepared.spec
    for split in SPLITS:
        holes = prepared.holes(name, split)
        if holes is None:
            continue
        own = name not in spec.inputs
        rows = int(spec.shifted(name) if own else spec.closed(name))
        if own and spec.forecast is not None and split != "train":
            rows = spec.forecast.context + spec.forecast.season
        before = spec.splits[split].sequences * rows * holes.width
        if int(holes.totals[-1]) < holes.known.size - before:
            yield f"{int(holes.totals[-1]):,} of {holes.known.size - before:,} known in {split}"


def sizes(counts: Counts, stream: bool) -> Iterator[str]:
    if not stream:
        yield f"{counts.sequences:,} sequences"
    if counts.characters:
        yield f"{counts.characters:,} characters"
    yield f"{counts.steps:,} steps"
    if counts.unknown:
        yield f"{counts.unknown / counts.steps:.2%} unknown"
