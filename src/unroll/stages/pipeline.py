"""Runs stages of the pipeline with a frozen configuration."""

from collections.abc import Sequence
from importlib import import_module

from unroll.base.processes import end_with_parent, rank
from unroll.base.workspace import Workspace
from unroll.config.load import load
from unroll.config.schema import STAGE_SECTIONS


def run_stages(names: Sequence[str], workspace: Workspace) -> None:
    """Run stages in order; each gets its own sections of params.yaml only."""
    workspace.check_code()
    config = load(workspace.params, workspace.extensions)
    if rank() > 0:      # only training uses several ranks
        end_with_parent()
        names = [name for name in names if name == "train"]
    for name in names:
        stage = getattr(import_module(f"unroll.stages.{name}"), name)
        stage(workspace, config.runtime, **{section: getattr(config, section) for section in STAGE_SECTIONS[name]})
