"""What samples are worth: do their words exist, and is anything copied?"""

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

WORD = re.compile(r"[^\W\d_]+")
CHUNK = 1 << 20     # characters of the corpus that are looked at together
BITS = 22
BASE = 0x9E3779B97F4A7C15     # odd, so that it has an inverse


def words_in_corpus(samples: Sequence[str], corpus: str) -> float:
    """Share of the samples' words, in lower case, that occur in the corpus; 0 without words.

    For scripts that put spaces between words: elsewhere a "word" is as long as a sentence.
    """
    known = {match.group() for match in WORD.finditer(corpus.lower())}
    words = [word for sample in samples for word in WORD.findall(sample.lower())]
    return sum(word in known for word in words) / max(1, len(words))


def longest_copy(samples: Sequence[str], corpus: str) -> str:
    """The longest stretch of any sample that stands in the corpus character by character."""
    copy, longest = "", max(map(len, samples), default=0)
    while len(copy) < longest:      # a copy has copies of every shorter length in it: halve what is open
        length = (len(copy) + longest + 1) // 2
        found = _copy(samples, corpus, length)
        copy, longest = (found, longest) if found else (copy, length - 1)
    return copy


def _copy(samples: Sequence[str], corpus: str, length: int) -> str:
    """A stretch of this length that a sample shares with the corpus, or nothing."""
    wanted = {sample[at : at + length] for sample in samples for at in range(len(sample) - length + 1)}
    marked = np.zeros(1 << BITS, dtype=bool)
    for sample in samples:
        marked[_hashes(sample, length)] = True
    for start in range(0, len(corpus) - length + 1, CHUNK):
        chunk = corpus[start : start + CHUNK + length - 1]
        for at in np.flatnonzero(marked[_hashes(chunk, length)]):
            if (stretch := chunk[at : at + length]) in wanted:
                return stretch
    return ""


def _hashes(text: str, length: int) -> NDArray[np.int64]:
    """`BITS` bits of a polynomial modulo 2^64 of every stretch (Karp & Rabin 1987), by one cumulative sum."""
    symbols = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint64) + np.uint64(1)
    # sums of symbol × base^-i; a difference of two, times base^i, is the stretch's own, wherever it stands
    sums = np.concatenate([[np.uint64(0)], np.cumsum(symbols * _powers(pow(BASE, -1, 1 << 64), len(symbols)))])
    stretches = max(0, len(symbols) - length + 1)
    hashes: NDArray[np.uint64] = (sums[length:] - sums[:stretches]) * _powers(BASE, stretches)
    return np.right_shift(hashes, 64 - BITS).astype(np.int64)


@lru_cache(maxsize=8)
def _powers(base: int, count: int) -> NDArray[np.uint64]:
    powers = np.full(count, base, np.uint64)
    powers[:1] = 1
    return np.cumprod(powers, dtype=np.uint64)
