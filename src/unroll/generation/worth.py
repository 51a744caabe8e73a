"""What samples are worth: whether they are copies, loops, varied, and like the data."""

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

Row = dict[str, float]
Metrics = dict[str, float]
COPIED = 40         # characters, from which on a stretch counts as copied
DISTINCT, LIKE = 5, 3       # characters of the n-grams that are counted, and compared

WORD = re.compile(r"[^\W\d_]+")
CHUNK = 1 << 20     # characters of the corpus that are looked at together
BITS = 22
BASE = 0x9E3779B97F4A7C15     # odd, so that it has an inverse


class Written(NamedTuple):
    """A text and the symbols that it was drawn as."""

    text: str
    symbols: Sequence[int]


class Data(NamedTuple):
    """What samples are compared with: the texts of two splits, and symbols that n-grams are counted in."""

    train: str
    test: str
    tokenizer: Tokenizer
    counted: NDArray[np.integer[Any]]
    order: int


def worth(
    samples: Sequence[Written], compared: Mapping[float, Sequence[Written]], data: Data
) -> tuple[Metrics, list[Row]]:
    """Figures of the samples, `real` ones of as much of the test split beside them; and a row for each temperature."""
    texts, likely = [each.text for each in samples], f"ngram{data.order}_bpc"
    real = [Written(text, data.tokenizer.encode(text).tolist()) for text in stretches(data.test, texts)]
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
        f"samples/real_distinct_{DISTINCT}": distinct([each.text for each in real], DISTINCT),
        f"samples/divergence_{LIKE}": divergence(texts, [data.test], LIKE),
        f"samples/real_divergence_{LIKE}": divergence(stretches(data.train, texts), [data.test], LIKE),
    }
    rows = []
    for (heat, group), cost in zip(compared.items(), bits, strict=True):
        written = [each.text for each in group]
        rows.append({"temperature": heat, likely: cost, f"distinct_{DISTINCT}": distinct(written, DISTINCT),
                     f"divergence_{LIKE}": divergence(written, [data.test], LIKE), "loop_rate": loop_rate(written)})
    return {name: value for name, value in metrics.items() if math.isfinite(value)}, rows


def stretches(corpus: str, like: Sequence[str]) -> list[str]:
    """As many pieces of the corpus as there are texts, as long as they, evenly spaced."""
    longest = max(map(len, like), default=0)
    places = np.linspace(0, max(0, len(corpus) - longest), len(like)).astype(int)
    return [corpus[at : at + len(text)] for at, text in zip(places, like, strict=True)]


def ngram_bits(groups: Sequence[Sequence[Written]], data: Data) -> list[float]:
    """Bits a character of each group under interpolated n-grams of the training split; nan where nothing is written."""
    ids = [np.array([data.tokenizer.begin, *each.symbols]) for group in groups for each in group]
    lost = witten_bell(data.counted, np.concatenate(ids), data.tokenizer.size, data.order)
    nats = iter([float(each[1:].sum()) for each in np.split(lost, np.cumsum([len(each) for each in ids])[:-1])])
    found = []
    for group in groups:
        # a stop string was drawn, too, and is not in the text
        total = sum(next(nats) for _ in group)
        characters = sum(len(data.tokenizer.decode(np.array(each.symbols, np.int64))) for each in group)
        found.append(total / math.log(2) / characters if characters else math.nan)
    return found


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


def copied_share(samples: Sequence[str], corpus: str, length: int) -> float:
    """Share of the samples' characters that stand in stretches of at least `length` that the corpus has, too."""
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
    """Share of samples that end in a loop (Holtzman et al., 2020): one stretch `repeats` times, `length` in all."""
    return sum(_loops(sample, repeats, length) for sample in samples) / max(1, len(samples))


def _loops(text: str, repeats: int, length: int) -> bool:
    for period in range(1, len(text) // repeats + 1):
        end = text[-max(length, repeats * period):]
        if len(end) >= length and end[period:] == end[:-period]:
            return True
    return False


def distinct(samples: Sequence[str], n: int) -> float:
    """Share of different n-grams of characters among all (distinct-n; Li et al., 2016); smaller of longer samples."""
    counts = _ngrams(samples, n)
    return len(counts) / max(1, counts.total())


def divergence(samples: Sequence[str], others: Sequence[str], n: int) -> float:
    """Jensen-Shannon divergence of the n-grams of characters in bits, 0 (alike) to 1 (none in common)."""
    ours, theirs = _ngrams(samples, n), _ngrams(others, n)
    grams = sorted(ours.keys() | theirs.keys())
    if not ours or not theirs:
        return 0.0
    p, q = (np.array([counts[gram] for gram in grams]) / counts.total() for counts in (ours, theirs))
    between = (p + q) / 2
    return float(sum((each[each > 0] * np.log2(each[each > 0] / between[each > 0])).sum() for each in (p, q)) / 2)


def notes_per_frame(roll: NDArray[np.bool_]) -> float:
    return float(roll.sum(axis=1).mean())


def silent_frames(roll: NDArray[np.bool_]) -> float:
    """Share of the frames."""
    return float((~roll.any(axis=1)).mean())


def known_chords(roll: NDArray[np.bool_], corpus: NDArray[np.bool_]) -> float:
    """Share of the frames that are not silent whose notes sound together in the corpus, too; 0 without any."""
    known = set(map(bytes, np.packbits(corpus, axis=1)))
    chords = list(map(bytes, np.packbits(roll[roll.any(axis=1)], axis=1)))
    return sum(chord in known for chord in chords) / max(1, len(chords))


def _ngrams(samples: Sequence[str], n: int) -> Counter[str]:
    return Counter(sample[at : at + n] for sample in samples for at in range(len(sample) - n + 1))


def _copy(samples: Sequence[str], corpus: str, length: int) -> str:
    """A stretch of this length that a sample shares with the corpus, or nothing."""
    return next(_common(samples, corpus, length), "")


def _common(samples: Sequence[str], corpus: str, length: int) -> Iterator[str]:
    """Stretches of this length that a sample and the corpus have, in the corpus's order."""
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
