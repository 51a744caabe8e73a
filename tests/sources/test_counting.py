"""Generated lines: lengths, letters, and digits that count the marks."""

import re
from pathlib import Path

from unroll.config.sources.counting import Settings
from unroll.data.source import SPLITS
from unroll.sources import Access, digest, open_source
from unroll.sources.counting import lines

GIVEN = {"kind": "counting", "lines": 60, "shortest": 20, "longest": 300, "letters": 3, "gap": 9.0,
         "tokenizer": {"kind": "char", "min_count": 1}, "inputs": {"text": "tokens"}, "targets": {"text": "next"},
         "validation": 0.1, "test": 0.2, "seed": 1}


def test_lines_are_as_long_as_asked_and_count_their_marks() -> None:
    made = lines(400, 20, 300, 3, 9.0, seed=1)
    lengths = [len(line) for line in made]
    assert min(lengths) < 30 and max(lengths) > 290 and min(lengths) >= 20 and max(lengths) <= 300
    for line in made:
        assert re.fullmatch(r"([abc]|\|\d)*\|?", line)
        assert [int(digit) for digit in re.findall(r"\d", line)] == [(at + 1) % 10 for at in range(len(re.findall(r"\d", line)))]
    text = "".join(made)
    assert 8 < len(re.findall("[abc]", text)) / text.count("|") < 10


def test_they_are_the_same_for_the_same_settings_and_split_as_asked() -> None:
    settings = Settings.model_validate(GIVEN)
    one, other = (open_source(settings, Access(Path()))[0] for _ in range(2))
    assert digest(one) == digest(other)
    assert digest(one) != digest(open_source(settings.model_copy(update={"seed": 2}), Access(Path()))[0])
    found = {split: [piece["text"] for piece in one.pieces(split)] for split in SPLITS}
    assert {split: len(texts) for split, texts in found.items()} == {"train": 42, "validation": 6, "test": 12}
