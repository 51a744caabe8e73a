"""What a run came to and where it lies; plain files, nothing heavy to import."""

import json
from pathlib import Path

from unroll.errors import UserError
from unroll.workspace import Workspace


def show(workspace: Workspace) -> None:
    """Print the figures, a sample and the places of everything else."""
    if not (workspace.metrics / "test.json").is_file():
        raise UserError(f"{workspace.metrics / 'test.json'}: no such file. Run `dvc repro` first.")
    test, samples = _read(workspace.metrics / "test.json"), _read(workspace.metrics / "generate.json")
    print("\nbits per character on the test split")
    compared = {"model": test["test/bpc"]} | {
        name.removeprefix("baseline/").removesuffix("_bpc"): value
        for name, value in test.items()
        if name.startswith("baseline/")
    }
    for name, value in sorted(compared.items(), key=lambda pair: pair[1]):
        print(f"  {value:7.4f}  {name}")
    if samples:
        print(f"\n{samples['samples/words_in_corpus']:.1%} of the samples' words occur in the corpus; "
              f"the longest verbatim copy has {samples['samples/longest_copy']} characters")
    print(f"\nmodel     {workspace.model}\nfigures   {workspace.metrics}  (dvc metrics show)\n"
          f"pictures  {workspace.plots}  (dvc plots show)\nsamples   {workspace.samples}\n"
          "runs      make ui, then http://127.0.0.1:5000")


def _read(path: Path) -> dict[str, float]:
    values: dict[str, float] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return values
