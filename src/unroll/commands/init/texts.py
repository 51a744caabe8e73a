"""Plain text → a draft of a language model: one long text, or short items."""

from itertools import islice
from pathlib import Path

import numpy as np

from unroll.base.errors import UserError
from unroll.commands.init.draft import Draft, Options, Place, report
from unroll.readers.common.encodings import find_encoding
from unroll.readers.text import blocks


def draft_text(place: Place, files: list[Path], options: Options) -> Draft:
    if options.task not in (None, "language"):
        raise UserError("conflict", f"--task {options.task}", "plain text has no labels. Give a table of text and "
                        "label, or a folder for each class.")
    encoding = encoding_of(files[0], options)
    sample = "".join(islice(blocks(files, encoding), 4))
    if not sample.strip():
        raise UserError("empty", files[0], "empty. Give a file with text.")
    lines = sample.split("\n")
    full = [line for line in lines if line.strip()]
    typical, longest = np.median([len(line) for line in full]), max(map(len, full))
    many = f" in {len(files):,} files" if len(files) > 1 else ""
    report("text", f"{sum(file.stat().st_size for file in files):,} bytes{many}; lines of {typical:.0f} characters, "
                   f"the longest {longest:,}")
    # names and titles: short, each once, none empty in between; verse and prose have paragraphs
    short = len(full) >= 20 and typical <= 40 and longest <= 200 and len(set(full)) >= 0.9 * len(full) \
        and len(full) >= len(lines) - 1
    unit = "line" if short else "stream"
    report("task", "language: " + ("short items, one per line" if short else "one long text"),
           f"unit in conf/data/{place.name}.yaml")
    data = {
        "kind": "text", "path": place.path, "unit": unit, "encoding": encoding, "inputs": {"text": "tokens"},
        "targets": {"text": "next"}, "validation": 0.05, "test": 0.05, "seed": 1, "licence": "not stated",
    }
    samples = {"prompts": [""], **({"count": 20, "length": 100} if short else {})}
    return Draft("Text, symbol by symbol.", data, "language", files, "char", "default", {"generate": samples})


def encoding_of(file: Path, options: Options) -> str:
    """The option's, or the one that the file is found to have."""
    if options.encoding is not None:
        return options.encoding
    encoding, finding = find_encoding(file)
    report("encoding", finding, "--encoding")
    return encoding
