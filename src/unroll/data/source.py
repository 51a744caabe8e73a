"""What the writer reads: sequences a split at a time, and where they are from."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Protocol

from unroll.data.spec import Reading

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
LayoutName = Literal["stream", "items", "windows"]
Piece = dict[str, Any]      # by field: text, an array (T, F) or (T,), a class, a vector
UNKNOWN = ""                # a class of a target that is not known; of its numbers, those are NaN


class Place(NamedTuple):
    """The name of a sequence in its source, and which of its steps, from 0 on, is the first one here.

    `time` is that step's, ISO 8601 or a number, where all steps follow one another at the source's frequency.
    """

    name: str
    first: int = 0
    time: str = ""

    @property
    def entry(self) -> tuple[str | int, ...]:
        """What is written of it."""
        return self if self.time else self[:2]


class Source(Protocol):
    """Sequences that can be read again and again, one split at a time.

    A *stream* is one long sequence in consecutive pieces, *items* are a piece each; of *windows*, a piece is a series,
    preceded by what the first window of the split reads.
    """

    layout: LayoutName
    columns: Mapping[str, Sequence[str]] = MappingProxyType({})     # by field, where the source names them
    reading: Reading = Reading()        # how its files are read
    notes: Sequence[str] = ()           # what a user should know of how they were read

    def pieces(self, split: Split) -> Iterator[Piece]: ...

    def places(self, split: Split) -> Sequence[Place]:
        """One for each sequence; empty if they have no names."""
        return ()


def sequence_name(places: Sequence[Place], split: Split, index: int) -> str:
    """How an error names sequence 0 … n - 1 of a split: as the source does, since splits are shuffled."""
    if index < len(places):
        return f"sequence {places[index].name!r}, in the {split} split"
    return f"sequence {index + 1} of the {split} split"


@dataclass(frozen=True)
class Origin:
    name: str
    licence: str
    sha256: str     # of all splits' content
