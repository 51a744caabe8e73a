"""Which of many texts are equal, from 16 bytes of each."""

import hashlib
from array import array
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray


class Keys:
    """Texts that are counted from 0 on as they come, and of which only a hash is kept."""

    def __init__(self) -> None:
        self._hashes = bytearray()

    def add(self, *texts: str) -> None:
        """One more; several texts are a single key."""
        hashed = hashlib.blake2b(digest_size=16)
        for text in texts:
            encoded = text.encode()
            hashed.update(len(encoded).to_bytes(8, "big") + encoded)
        self._hashes += hashed.digest()

    def numbers(self) -> NDArray[np.int64]:
        """(n,) equal numbers of equal keys, from 0 on as they were first met."""
        halves = np.frombuffer(self._hashes, np.uint64).reshape(-1, 2)
        order = np.lexsort((halves[:, 0], halves[:, 1]))
        sort = halves[order]
        starts = np.ones(len(sort), bool)
        starts[1:] = (sort[1:] != sort[:-1]).any(axis=1)
        first = order[starts]       # of each key, as the sort is stable
        met = np.empty(len(first), np.int64)
        met[np.argsort(first)] = np.arange(len(first))
        numbers = np.empty(len(order), np.int64)
        numbers[order] = met[np.cumsum(starts) - 1]
        return numbers


class Coding:
    """Names as numbers from 0 on, in the order in which they are first met; some 200 bytes of each are in memory."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def numbers(self, names: Iterable[str]) -> NDArray[np.int64]:
        return np.array([self._numbers.setdefault(name, len(self._numbers)) for name in names], np.int64)

    def __len__(self) -> int:
        return len(self._numbers)

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)


class Names:
    """Texts in order, packed."""

    def __init__(self, *texts: str) -> None:
        self._bytes, self._ends = bytearray(), array("q", [0])
        for text in texts:
            self.append(text)

    def append(self, text: str) -> None:
        self._bytes += text.encode()
        self._ends.append(len(self._bytes))

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, at: int) -> str:
        return self._bytes[self._ends[at] : self._ends[at + 1]].decode()
