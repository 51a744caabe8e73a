"""What a run came to and where it lies; plain files, nothing heavy to import."""

import json
from pathlib import Path

from unroll.base.errors import UserError
from unroll.base.measures import MEASURES, compared, measure_of
from unroll.base.workspace import Workspace


def show(workspace: Workspace) -> None:
    """Print the figures, a sample and the places of everything else."""
    if not (workspace.metrics / "test.json").is_file():
        raise UserError(f"{workspace.metrics / 'test.json'}: no such file. Run `dvc repro` first.")
    test, samples = _read(workspace.metrics / "test.json"), _read(workspace.metrics / "generate.json")
    measure = measure_of(test)
    unit, higher_is_better = MEASURES[measure]
    print(f"\n{unit} on the test split, {'higher' if higher_is_better else 'lower'} is better")
    figures = {"model": test[f"test/{measure}"]} | compared(test, measure)
    for name, value in sorted(figures.items(), key=lambda pair: pair[1], reverse=higher_is_better):
        print(f"  {value:10.4f}  {name}")
    if "samples/longest_copy" in samples:
        print(f"\n{samples['samples/words_in_corpus']:.1%} of the samples' words occur in the corpus; "
              f"the longest verbatim copy has {samples['samples/longest_copy']} characters")
    what = "samples  " if "samples/longest_copy" in samples else "predicted"
    print(f"\nmodel     {workspace.model}\nfigures   {workspace.metrics}  (dvc metrics show)\n"
          f"pictures  {workspace.plots / 'test'}  (dvc plots show)\n{what} {workspace.samples}\n"
          "runs      make ui, then http://127.0.0.1:5000")


def _read(path: Path) -> dict[str, float]:
    values: dict[str, float] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return values
