"""Write the figures of the README and of guides from the files that commands wrote; `--check` only compares.

A block stands between `<!-- name -->` and `<!-- /name -->`. Committed files are read, not the working tree's: somebody
who has run the pipeline on a text of their own has not made the README untrue.
"""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parent.parent


def committed(name: str) -> Any:
    shown = subprocess.run(["git", "show", f"HEAD:{name}"], cwd=PROJECT, capture_output=True, text=True, check=True)
    return json.loads(shown.stdout)


def figures() -> str:
    test, made = committed("metrics/test.json"), committed("metrics/generate.json")
    rows = [
        ("**LSTM, 256 units, 4 epochs**", f"**{test['test/bpc']:.3f}**"),
        ("`xz -9e` that has read the training text", f"{test['baseline/xz_after_train_bpc']:.3f}"),
        ("`xz -9e`", f"{test['baseline/xz_bpc']:.3f}"),
        ("5-gram, interpolated Witten-Bell", f"{test['baseline/ngram5_bpc']:.3f}"),
        ("unigram", f"{test['baseline/unigram_bpc']:.3f}"),
        ("uniform", f"{test['baseline/uniform_bpc']:.3f}"),
    ]
    table = "\n".join(["| on the test split | bits per character |", "|---|---|", *(f"| {a} | {b} |" for a, b in rows)])
    return (
        f"{table}\n\nThe model is {test['test/below_ngram5']:.1%} below the 5-gram; its perplexity is "
        f"{test['test/perplexity']:.3f} a character. {made['samples/words_in_corpus']:.1%} of the words in its "
        f"samples occur in the corpus; the longest verbatim copy has {made['samples/longest_copy']} characters "
        "(`metrics/test.json`, `metrics/generate.json`)."
    )


def cells() -> str:
    result = committed("benchmarks/results/cells.json")
    rows = [
        "| cell | parameters | test bits per character | validation | seconds | characters/s |",
        "|---|---|---|---|---|---|",
    ]
    for name, cell in result["cells"].items():
        rows.append(
            f"| {name.upper()} | {cell['parameters']:,} | {cell['test_bpc']:.3f} ± {cell['test_bpc_std']:.3f} | "
            f"{cell['val_bpc']:.3f} ± {cell['val_bpc_std']:.3f} | {cell['seconds']:.0f} | "
            f"{cell['tokens_per_second']:,.0f} |"
        )
    return "\n".join(rows) + (
        f"\n\nMean ± standard deviation over seeds {', '.join(map(str, result['seeds']))}, speeds medians, on "
        f"{result['cpu']}: `{result['command']}`."
    )


def generation() -> str:
    """Symbols a second; the guide's table."""
    result = committed("benchmarks/results/generate.json")
    rows = ["| LSTM, batch 1 | `nn.LSTM` a step | `nn.LSTMCell` | ours | int8 | weights read once |",
            "|---|---|---|---|---|---|"]
    for size in ("1x256", "2x512", "2x1024"):
        each = result["speed"][f"lstm {size}"]["batch 1"]
        rows.append(f"| {size.replace('x', ' × ')} | {each['library']:,} | {each['cell']:,} | **{each['ours']:,}** | "
                    f"{each['int8']:,} | {each['weights']:,} |")
    bits, start = result["int8"], result["start"]
    return "\n".join(rows) + (
        f"\n\nint8 costs the default model {bits['worse by']:.4f} bits per character of the test split. From the start "
        f"of the process to the first character it takes {start['first character']:.2f} s, to the end of 500 "
        f"{start['500 characters']:.2f} s. The process of a stream of ten million symbols has "
        f"{min(result['memory'].values())} MB after the first million and {max(result['memory'].values())} at most."
    )


def pruning() -> str:
    result = committed("benchmarks/results/tuning.json")
    studies, best = result["studies"], result["best"]
    return (f"Over {len(studies)} seeds of a small corpus, {studies[0]['whole']['trials']} trials each, pruning saved "
            f"{result['saved']:.0%} of the epochs; the best loss was {best['pruned']:.3f} on average, and "
            f"{best['whole']:.3f} without pruning (`{result['command']}`).")


def sample() -> str:
    """The first sample as the stage wrote it; it is DVC's, not Git's, so `--check` leaves it alone."""
    text = (PROJECT / "artifacts" / "samples" / "001.txt").read_text(encoding="utf-8").strip()
    return f"```text\n{text}\n```\n\n(`artifacts/samples/001.txt`, temperature 0.7, no prompt)"


def main() -> None:
    blocks = {"figures": figures, "cells": cells} | ({} if "--check" in sys.argv else {"sample": sample})
    for name, makes in {"README.md": blocks, "docs/sampling.md": {"generation": generation},
                        "docs/sweeps.md": {"pruning": pruning}}.items():
        write(PROJECT / name, makes)


def write(path: Path, blocks: dict[str, Callable[[], str]]) -> None:
    before = after = path.read_text(encoding="utf-8")
    for name, make in blocks.items():
        block = f"<!-- {name} -->\n{make()}\n<!-- /{name} -->"
        after = re.sub(rf"<!-- {name} -->.*?<!-- /{name} -->", lambda _, block=block: block, after, flags=re.DOTALL)
    if after == before:
        return
    if "--check" in sys.argv:
        sys.exit(f"{path.name}: its figures are not those of the committed files; run `python tools/readme.py`")
    path.write_text(after, encoding="utf-8")


if __name__ == "__main__":
    main()
