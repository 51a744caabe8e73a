"""What the writer reads: sequences a split at a time, and where they are from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Protocol

from unroll.data.spec import Reading

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
Layout = Literal["stream", "items", "windows"]
Piece = dict[str, Any]      # of each field: text, an array (T, F) or (T,), a class, a vector


class Place(NamedTuple):
    """What a user calls a sequence, and which of its steps, from 0 on, is the first one here."""

    name: str
    first: int = 0


class Source(Protocol):
    """Sequences that can be read again and again, one split at a time.

    A *stream* is one long sequence in consecutive pieces, *items* are a piece each; of *windows*, a piece is a series,
    preceded by what the first window of the split reads.
    """

    layout: Layout
    columns: Mapping[str, Sequence[str]] = MappingProxyType({})     # of a field, where the source itself names them
    reading: Reading = Reading()        # how its files are read, where it has any

    def pieces(self, split: Split) -> Iterator[Piece]: ...

    def places(self, split: Split) -> Sequence[Place]:
        """Of each sequence; none where they are numbered."""
        return ()


def called(places: Sequence[Place], split: Split, index: int) -> str:
    """A sequence of a split, 0 … n - 1, as a user finds it: splits are dealt, so that numbers in them say little."""
    if index < len(places):
        return f"sequence {places[index].name!r}, in the {split} split"
    return f"sequence {index + 1} of the {split} split"


@dataclass(frozen=True)
class Origin:
    name: str
    licence: str
    sha256: str     # of all splits' content
