"""Where a run comes from: commit, stage, folder."""

import os
import subprocess

from unroll.base.workspace import Workspace


def provenance(workspace: Workspace) -> dict[str, str]:
    """Tags that say which commit, which stage and which folder a run comes from."""
    tags = {"unroll.root": str(workspace.root.resolve()), "mlflow.source.name": "unroll"}
    commit = _git(workspace, "rev-parse", "HEAD")
    if commit:
        tags["mlflow.source.git.commit"] = commit
        tags["git.dirty"] = str(bool(_git(workspace, "status", "--porcelain"))).lower()
    names = {"DVC_STAGE": "dvc.stage", "DVC_EXP_NAME": "dvc.experiment", "DVC_EXP_BASELINE_REV": "dvc.baseline"}
    return tags | {tag: os.environ[name] for name, tag in names.items() if os.environ.get(name)}


def _git(workspace: Workspace, *arguments: str) -> str:
    try:
        run = subprocess.run(["git", *arguments], cwd=workspace.project, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""       # no git, or a download without its history
    return run.stdout.strip()
