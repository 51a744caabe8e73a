"""Generated lines whose digits count, the same for the same settings."""

import numpy as np

from unroll.config.sources.counting import Settings
from unroll.data.source import Source
from unroll.sources.common.access import Access
from unroll.sources.common.memory import Items
from unroll.sources.common.splits import deal

MARK = "|"


def open_source(settings: Settings, access: Access) -> tuple[Source, str, str]:
    (field,) = settings.inputs
    pieces = [{field: line} for line in lines(settings.lines, settings.shortest, settings.longest, settings.letters,
                                              settings.gap, settings.seed)]
    splits = deal(len(pieces), None, settings.validation, settings.test, settings.seed)
    return Items(pieces, splits), "generated: counting", "none: generated"


def lines(count: int, shortest: int, longest: int, letters: int, gap: float, seed: int) -> list[str]:
    """Lines of `shortest` to `longest` characters: letters and marks at random, after each mark how many there were.

    Only who remembers the last digit knows the next one, however far the mark is from the start of the line: nothing
    near a mark tells it.
    """
    draw = np.random.Generator(np.random.Philox([seed]))
    made = []
    for length in draw.integers(shortest, longest, size=count, endpoint=True):
        marks = draw.random(length) < 1 / (gap + 1)
        texts = np.array([*"abcdefghijklmnopqrstuvwxyz"])[draw.integers(letters, size=length)]
        so_far = np.cumsum(marks) % 10
        line = "".join(f"{MARK}{number}" if mark else letter
                       for mark, letter, number in zip(marks.tolist(), texts.tolist(), so_far.tolist(), strict=True))
        made.append(line[:length])
    return made
