"""Baselines of text: n-grams and a compressor, on the same test split as the model."""

import lzma
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.integer[Any]]


def unigram(train: Ids, test: Ids, size: int) -> float:
    """Mean loss of the training frequencies in nats per symbol, with add-one smoothing (Laplace)."""
    counts = np.bincount(train, minlength=size) + 1
    return float(-np.log(counts / counts.sum())[test].mean())


def witten_bell(train: Ids, test: Ids, size: int, order: int) -> NDArray[np.float64]:
    """Loss in nats of each test symbol under an interpolated n-gram model (Witten & Bell, 1991, method C).

    P_n(w | h) = (c(h, w) + T(h) · P_{n-1}(w | h')) / (c(h) + T(h)), where T(h) counts the different symbols seen
    after h, h' is h without its first symbol, and below the unigrams stands the uniform distribution. An unseen
    context leaves P_{n-1} as it is. Memory: about 100 bytes for each symbol of `train` and `test`.
    """
    ids = np.concatenate([train, test]).astype(np.int64)
    known = len(train)
    probability = np.full(len(test), 1 / size)
    context = np.zeros(len(ids), np.int64)      # equal numbers where the last n - 1 symbols are equal
    for length in range(order):
        if length:
            before = np.zeros(len(ids), np.int64)
            before[length:] = ids[:-length] + 1
            context = _numbered(context * (size + 1) + before)
        pairs = _numbered(context * size + ids)
        pair_count = np.bincount(pairs[:known], minlength=pairs.max() + 1)
        contexts = int(context.max()) + 1
        context_count = np.bincount(context[:known], minlength=contexts)
        first = np.unique(pairs[:known], return_index=True)[1]
        followers = np.bincount(context[first], minlength=contexts)             # T(h)
        h, hw = context[known:], pairs[known:]
        total = context_count[h] + followers[h]
        seen = total > 0
        blended = (pair_count[hw] + followers[h] * probability) / np.where(seen, total, 1)
        probability = np.where(seen, blended, probability)
    return np.asarray(-np.log(probability))


def _numbered(keys: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.asarray(np.unique(keys, return_inverse=True)[1], np.int64)


def xz_bits(text: bytes, before: bytes = b"") -> int:
    """Bits that `xz -9e` needs for `text`, when it has already read `before`."""
    return 8 * (_packed([before, text]) - (_packed([before]) if before else 0))


def _packed(parts: Sequence[bytes]) -> int:
    size = sum(map(len, parts))
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": max(1 << 20, size)}]
    return len(lzma.compress(b"".join(parts), check=lzma.CHECK_NONE, filters=filters))
