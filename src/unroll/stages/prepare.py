"""Source → prepared folder."""

from pathlib import Path

from unroll.config.data import DataConfig
from unroll.config.runtime import RuntimeConfig
from unroll.data.sources import SPLITS, open_source
from unroll.data.store import open_prepared, write_prepared
from unroll.data.tokenizers import fit
from unroll.files import replacing
from unroll.workspace import Workspace


def prepare(workspace: Workspace, runtime: RuntimeConfig, data: DataConfig) -> None:
    """Read the source, fit the tokenizer on its training split, and write every split's symbols."""
    mirror = Path(runtime.mirror) if runtime.mirror else None
    source, origin = open_source(data, workspace.project, mirror, runtime.progress)
    tokenizer = fit(data.tokenizer, data.unit, source.pieces("train"))
    with replacing(workspace.prepared) as folder:
        write_prepared(folder, data, source, origin, tokenizer)
    spec = open_prepared(workspace.prepared).spec
    for split in SPLITS:
        count = spec["splits"][split]
        unknown = f", {count['unknown'] / count['tokens']:.2%} unknown" if count["unknown"] else ""
        print(f"prepare: {split}: {count['characters']:,} characters, {count['tokens']:,} symbols{unknown}")
    print(f"prepare: {origin.name}: {tokenizer.size} different symbols → {workspace.prepared}")
