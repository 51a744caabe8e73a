"""Sequences that each have their own targets, held out one by one."""

from collections.abc import Iterable, Iterator

from unroll.base.errors import UserError
from unroll.config.sources.events import Settings as EventSettings
from unroll.config.sources.table import Settings as TableSettings
from unroll.data.source import UNKNOWN, Piece
from unroll.sources.common.memory import Items, Lazy
from unroll.sources.common.splits import hold_out


def items_of(settings: TableSettings | EventSettings, pieces: Lazy, names: Lazy, groups: Iterable[str] | None = None
             ) -> Items:
    """The sequences in their splits; those of one of the `groups`, which are of each, share a split."""
    different: dict[str, set[str]] = {name: set() for name, kind in settings.targets.items() if kind == "class"}
    given = dict.fromkeys(different, 0)
    splits = hold_out(_counted(pieces, different, given), settings.inputs, settings.targets, settings.validation,
                      settings.test, settings.seed, groups)
    for name, count in given.items():
        if len(different[name]) == count > 1:
            raise UserError("conflict", f"data.targets.{name}", f"each of {count} sequences has a class of its own in "
                            f"column {settings.columns[name][0]!r}. Name another column, or, if it is a number, choose "
                            "value.")
    return Items(pieces, splits, names)


def _counted(pieces: Iterable[Piece], different: dict[str, set[str]], given: dict[str, int]) -> Iterator[Piece]:
    """The same pieces; fills in the different classes of each target, and how many sequences have one."""
    for piece in pieces:
        for name, classes in different.items():
            if piece[name] != UNKNOWN:
                classes.add(str(piece[name]))
                given[name] += 1
        yield piece
