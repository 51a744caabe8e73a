"""Prepared data that jobs share: the first job makes it, and it is linked into the roots of all."""

import hashlib
import os
import shutil

from filelock import FileLock

from unroll.base.deps import digest
from unroll.base.extensions import read_lock, write_lock
from unroll.base.files import replacing, to_json
from unroll.base.workspace import Workspace
from unroll.config.load import load
from unroll.stages.pipeline import run_stages


def prepare_once(workspace: Workspace) -> None:
    """Make `data/prepared` of a root, or link what another job has made of the same data; jobs wait for each other."""
    config = load(workspace.params, workspace.extensions)
    parts = {"data": config.data.model_dump(mode="json"), "inputs": digest(workspace, ["prepare"])}
    key = hashlib.sha256(to_json(parts).encode()).hexdigest()[:20]
    made = Workspace(workspace.project, workspace.home / ".unroll" / "prepared" / key)
    made.root.mkdir(parents=True, exist_ok=True)
    with FileLock(made.root / "lock"):
        if not made.prepared.is_dir():      # outputs appear whole or not at all
            shutil.copyfile(workspace.params, made.params)
            write_lock(made.extensions, read_lock(workspace.extensions))
            run_stages(("prepare",), made)
    with replacing(workspace.prepared) as temporary:
        shutil.copytree(made.prepared, temporary, copy_function=_link)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:         # another file system, or one without links
        shutil.copyfile(source, target)
