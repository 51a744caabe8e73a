"""`unroll show`: the figures of a run and where its files are; imports nothing heavy."""

import json
from pathlib import Path

from unroll.base.workspace import Workspace
from unroll.evaluation.comparison import read_comparisons


def show(workspace: Workspace) -> None:
    """Print the model beside its baselines, what its samples are like, and where everything is.

    Raises `UserError` when nothing was evaluated there yet.
    """
    comparisons = read_comparisons(workspace.comparison)
    for target, comparison in comparisons.items():
        of = f"{target}: " if len(comparisons) > 1 else ""
        print(f"\n{of}{comparison.unit} on the test split, {comparison.better} is better")
        for name, value in comparison.ranked("model"):
            print(f"  {value:10.4f}  {name}")
    samples = _read(workspace.metrics / "generate.json")
    text = "samples/longest_copy" in samples
    if text:
        print(f"\n{samples['samples/words_in_corpus']:.1%} of the samples' words occur in the corpus; "
              f"the longest verbatim copy has {samples['samples/longest_copy']} characters")
    print(f"\nmodel     {workspace.model}\n"
          f"card      {workspace.card / 'README.md'}\n"
          f"figures   {workspace.metrics}  (dvc metrics show)\n"
          f"pictures  {workspace.plots / 'test'}  (dvc plots show)\n"
          f"{'samples  ' if text else 'predicted'} {workspace.samples}\n"
          "runs      make ui, then http://127.0.0.1:5000")


def _read(path: Path) -> dict[str, float]:
    values: dict[str, float] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return values
