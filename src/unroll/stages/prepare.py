"""Source → prepared folder."""

from pathlib import Path

from unroll.base.files import replacing
from unroll.base.workspace import Workspace
from unroll.config.data import DataConfig
from unroll.config.runtime import RuntimeConfig
from unroll.data.fitting import fit_encoders
from unroll.data.source import SPLITS
from unroll.data.store import open_prepared
from unroll.data.writer import write_prepared
from unroll.sources.open import open_source


def prepare(workspace: Workspace, runtime: RuntimeConfig, data: DataConfig) -> None:
    """Read the source, fit the encoders on its training split, and write every split."""
    mirror = Path(runtime.mirror) if runtime.mirror else None
    source, origin = open_source(data, workspace.project, mirror, runtime.progress)
    encoders = fit_encoders(data, source)
    with replacing(workspace.prepared) as folder:
        write_prepared(folder, data, source, origin, encoders)
    spec = open_prepared(workspace.prepared).spec
    for split in SPLITS:
        count = spec.splits[split]
        parts = [] if spec.layout == "stream" else [f"{count.sequences:,} sequences"]
        parts += [f"{count.characters:,} characters"] if count.characters else []
        parts += [f"{count.steps:,} steps"]
        parts += [f"{count.unknown / count.steps:.2%} unknown"] if count.unknown else []
        print(f"prepare: {split}: {', '.join(parts)}")
    described = {name: f"{field.kind} of size {field.size}" for name, field in spec.inputs.items()}
    for name, target in spec.targets.items():
        classes = f" {', '.join(target.classes)}" if target.classes and len(target.classes) <= 12 else ""
        described[name] = f"{target.kind} of size {target.size}{classes}"
    for name, line in described.items():
        print(f"prepare: {name}: {line}")
    print(f"prepare: {origin.name} → {workspace.prepared}")
