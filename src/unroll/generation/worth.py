"""What samples are worth: whether they copy, loop, vary, and resemble the data."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from unroll.baselines.ngrams import witten_bell
from unroll.data.tokenizers import Tokenizer
from unroll.generation.music import Roll
from unroll.generation.text import Sample

Row = dict[str, float]
Metrics = dict[str, float]
COPIED = 40         # characters of the shortest stretch that counts as copied
DISTINCT, LIKE = 5, 3       # characters of the n-grams for diversity, and for divergence

WORD = re.compile(r"[^\W\d_]+")
CHUNK = 1 << 20     # characters of the corpus that are hashed at once
BITS = 22
BASE = 0x9E3779B97F4A7C15     # odd, so that it has an inverse


class Data(NamedTuple):
    """The data that samples are compared with: the texts of two splits, and symbols to count n-grams in."""

    train: str
    test: str
    tokenizer: Tokenizer
    counted: NDArray[np.integer[Any]]
    order: int


def text_worth(
    samples: Sequence[Sample], compared: Mapping[float, Sequence[Sample]], data: Data
) -> tuple[Metrics, list[Row]]:
    """Figures of the samples and of as much of the test split (`real`), and a row for each temperature `compared`."""
    texts, likely = [sample.text for sample in samples], f"ngram{data.order}_bpc"
    real = [Sample("", text, data.tokenizer.encode(text).tolist(), None) for text in stretches(data.test, texts)]
    own, reals, *bits = ngram_bits([samples, real, *compared.values()], data)
    metrics: Metrics = {
        "samples/words_in_corpus": words_in_corpus(texts, data.train),
        "samples/longest_copy": len(longest_copy(texts, data.train)),
        f"samples/copied_{COPIED}": copied_share(texts, data.train, COPIED),
        "samples/loop_rate": loop_rate(texts),
        "samples/characters": sum(map(len, texts)),
        f"samples/{likely}": own,
        f"samples/real_{likely}": reals,
        f"samples/distinct_{DISTINCT}": distinct(texts, DISTINCT),
        f"samples/real_distinct_{DISTINCT}": distinct([sample.text for sample in real], DISTINCT),
        f"samples/divergence_{LIKE}": divergence(texts, [data.test], LIKE),
        f"samples/real_divergence_{LIKE}": divergence(stretches(data.train, texts), [data.test], LIKE),
    }
    rows = []
    for (heat, group), cost in zip(compared.items(), bits, strict=True):
        texts = [sample.text for sample in group]
        rows.append({"temperature": heat, likely: cost, f"distinct_{DISTINCT}": distinct(texts, DISTINCT),
                     f"divergence_{LIKE}": divergence(texts, [data.test], LIKE), "loop_rate": loop_rate(texts)})
    return {name: value for name, value in metrics.items() if math.isfinite(value)}, rows


def stretches(corpus: str, like: Sequence[str]) -> list[str]:
    """A stretch of the corpus for each text, of the same length, evenly spaced."""
    longest = max(map(len, like), default=0)
    places = np.linspace(0, max(0, len(corpus) - longest), len(like)).astype(int)
    return [corpus[at : at + len(text)] for at, text in zip(places, like, strict=True)]


def ngram_bits(groups: Sequence[Sequence[Sample]], data: Data) -> list[float]:
    """Bits per character of each group under interpolated n-grams of the training split; nan for empty texts."""
    ids = [np.array([data.tokenizer.begin, *sample.symbols]) for group in groups for sample in group]
    lost = witten_bell(data.counted, np.concatenate(ids), data.tokenizer.size, data.order)
    ends = np.cumsum([len(symbols) for symbols in ids])[:-1]
    nats = iter([float(of_sample[1:].sum()) for of_sample in np.split(lost, ends)])
    bits = []
    for group in groups:
        total = sum(next(nats) for _ in group)
        # decoded again: the symbols of a stop string were drawn and cost bits, but are not in the text
        characters = sum(len(data.tokenizer.decode(np.array(sample.symbols, np.int64))) for sample in group)
        bits.append(total / math.log(2) / characters if characters else math.nan)
    return bits


def words_in_corpus(samples: Sequence[str], corpus: str) -> float:
    """Share of the samples' words, in lower case, that occur in the corpus; 0 without words.

    Meaningful for scripts with spaces between words: elsewhere a "word" is as long as a sentence.
    """
    known = {match.group() for match in WORD.finditer(corpus.lower())}
    words = [word for sample in samples for word in WORD.findall(sample.lower())]
    return sum(word in known for word in words) / max(1, len(words))


def longest_copy(samples: Sequence[str], corpus: str) -> str:
    """The longest stretch of any sample that occurs verbatim in the corpus."""
    copy, longest = "", max(map(len, samples), default=0)
    while len(copy) < longest:      # every stretch of a copy is a copy, so that bisection finds the longest
        length = (len(copy) + longest + 1) // 2
        found = _copy(samples, corpus, length)
        copy, longest = (found, longest) if found else (copy, length - 1)
    return copy


def copied_share(samples: Sequence[str], corpus: str, length: int) -> float:
    """Share of the samples' characters inside stretches of at least `length` that occur in the corpus."""
    known = set(_common(samples, corpus, length))
    covered = total = 0
    for sample in samples:
        copied = np.zeros(len(sample), dtype=bool)
        for at in range(len(sample) - length + 1):
            if sample[at : at + length] in known:
                copied[at : at + length] = True
        covered, total = covered + int(copied.sum()), total + len(sample)
    return covered / max(1, total)


def loop_rate(samples: Sequence[str], repeats: int = 3, length: int = 30) -> float:
    """Share of samples that end in a loop (Holtzman et al., 2020): a stretch `repeats` times, `length` in all."""
    return sum(_loops(sample, repeats, length) for sample in samples) / max(1, len(samples))


def _loops(text: str, repeats: int, length: int) -> bool:
    for period in range(1, len(text) // repeats + 1):
        end = text[-max(length, repeats * period):]
        if len(end) >= length and end[period:] == end[:-period]:
            return True
    return False


def distinct(samples: Sequence[str], n: int) -> float:
    """Distinct n-grams of characters among all (distinct-n; Li et al., 2016); longer samples have a smaller share."""
    counts = _ngrams(samples, n)
    return len(counts) / max(1, counts.total())


def divergence(samples: Sequence[str], others: Sequence[str], n: int) -> float:
    """Jensen-Shannon divergence of the n-grams of characters in bits, from 0 (equal) to 1 (none in common)."""
    ours, theirs = _ngrams(samples, n), _ngrams(others, n)
    grams = sorted(ours.keys() | theirs.keys())
    if not ours or not theirs:
        return 0.0
    p, q = (np.array([counts[gram] for gram in grams]) / counts.total() for counts in (ours, theirs))
    between = (p + q) / 2
    return float(sum((share[share > 0] * np.log2(share[share > 0] / between[share > 0])).sum() for share in (p, q)) / 2)


def music_worth(new: Roll, test: Roll, train: Roll) -> Metrics:
    """Figures of new frames and of the test split's; without a scale, a reader needs both."""
    metrics: Metrics = {}
    for name, roll in (("samples/", new), ("samples/test_", test)):
        metrics |= {f"{name}notes_per_frame": notes_per_frame(roll), f"{name}silent_frames": silent_frames(roll),
                    f"{name}known_chords": known_chords(roll, train)}
    return metrics


def notes_per_frame(roll: Roll) -> float:
    return float(roll.sum(axis=1).mean())


def silent_frames(roll: Roll) -> float:
    """Share of the frames without a note."""
    return float((~roll.any(axis=1)).mean())


def known_chords(roll: Roll, corpus: Roll) -> float:
    """Share of the frames with notes whose chord occurs in the corpus; 0 without any."""
    known = set(map(bytes, np.packbits(corpus, axis=1)))
    chords = list(map(bytes, np.packbits(roll[roll.any(axis=1)], axis=1)))
    return sum(chord in known for chord in chords) / max(1, len(chords))


def _ngrams(samples: Sequence[str], n: int) -> Counter[str]:
    return Counter(sample[at : at + n] for sample in samples for at in range(len(sample) - n + 1))


def _copy(samples: Sequence[str], corpus: str, length: int) -> str:
    """A stretch of this length that a sample shares with the corpus, or an empty one."""
    return next(_common(samples, corpus, length), "")


def _common(samples: Sequence[str], corpus: str, length: int) -> Iterator[str]:
    """Stretches of this length that a sample shares with the corpus, in the corpus's order."""
    wanted = {sample[at : at + length] for sample in samples for at in range(len(sample) - length + 1)}
    marked = np.zeros(1 << BITS, dtype=bool)
    for sample in samples:
        marked[_hashes(sample, length)] = True
    for start in range(0, len(corpus) - length + 1, CHUNK):
        chunk = corpus[start : start + CHUNK + length - 1]
        for at in np.flatnonzero(marked[_hashes(chunk, length)]):
            if (stretch := chunk[at : at + length]) in wanted:
                yield stretch


def _hashes(text: str, length: int) -> NDArray[np.int64]:
    """`BITS` bits of a polynomial modulo 2^64 of every stretch (Karp & Rabin 1987), by one cumulative sum."""
    symbols = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint64) + np.uint64(1)
    # sums of symbol × base^-i; the difference of two, times base^i, depends on the stretch and not on its place
    sums = np.concatenate([[np.uint64(0)], np.cumsum(symbols * _powers(pow(BASE, -1, 1 << 64), len(symbols)))])
    stretches = max(0, len(symbols) - length + 1)
    hashes: NDArray[np.uint64] = (sums[length:] - sums[:stretches]) * _powers(BASE, stretches)
    return np.right_shift(hashes, 64 - BITS).astype(np.int64)


@lru_cache(maxsize=8)
def _powers(base: int, count: int) -> NDArray[np.uint64]:
    powers = np.full(count, base, np.uint64)
    powers[:1] = 1
    return np.cumprod(powers, dtype=np.uint64)
