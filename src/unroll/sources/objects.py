"""The documented objects of several installed packages: their docstrings, and numbers of their source.

What gives a target away is no input. The packages' names, as installed, as imported and as abbreviated (`np`), are
taken out of every docstring, whichever package it is from. How deep a definition stands in others is not among the
numbers, because it tells modules and methods from the rest. What a docstring itself says of the object stays.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.config.sources.objects import Settings
from unroll.data.source import UNKNOWN, Piece, Source
from unroll.sources.common.access import Access
from unroll.sources.common.labels import draw_labelled
from unroll.sources.common.memory import Items
from unroll.sources.common.names import Names
from unroll.sources.common.objects import Object, documented
from unroll.sources.common.packages import Package, find_package
from unroll.sources.common.splits import hold_out

COLUMNS = {"numbers": ("lines", "nesting", "name_length", "defaults"), "parameters": ("parameters",)}


def open_source(settings: Settings, access: Access) -> tuple[Source, str, str]:
    """One item for each object, named by its file and line; raises `UserError` naming the package at fault."""
    packages = _packages(settings.packages)
    pieces, places = _pieces(packages, settings.longest, settings.least)
    # the same splits whichever fields are used: results with one input and with both are of the same test items
    splits = hold_out(pieces, {"text": "tokens"}, {"package": "class"}, settings.validation, settings.test,
                      settings.seed)
    _remove_labels(pieces, splits["train"], settings)
    used = {*settings.inputs, *settings.targets}
    kept = [{field: value for field, value in piece.items() if field in used} for piece in pieces]
    source = Items(kept, splits, places, {field: names for field, names in COLUMNS.items() if field in used})
    names = ", ".join(f"{name} {version}" for name, version in sorted(settings.packages.items()))
    return source, f"documented objects of {names}", "; ".join(sorted({each.licence for each in packages.values()}))


def _packages(versions: Mapping[str, str]) -> dict[str, Package]:
    packages: dict[str, Package] = {}
    for name, version in sorted(versions.items()):
        package = find_package(name, version, f"data.packages.{name}")
        for other, known in packages.items():
            if known.folder == package.folder:
                raise UserError("conflict", f"data.packages.{name}", f"the same package as {other}. Leave one out.")
        packages[name] = package
    return packages


def _pieces(packages: Mapping[str, Package], longest: int, least: int) -> tuple[list[Piece], list[str]]:
    """All fields of every item, and its place."""
    found = {name: [(file.relative_to(package.folder.parent).as_posix(), each)
                    for file in sorted(package.folder.rglob("*.py")) for each in documented(file)]
             for name, package in packages.items()}
    names = Names(packages.values(), (each.docstring for objects in found.values() for _, each in objects))
    pieces: list[Piece] = []
    places: list[str] = []
    for package, objects in found.items():
        before = len(pieces)
        for file, each in objects:
            # names before the cut, which could leave half of one
            text = names.remove(" ".join(_encodable(each.docstring).split()))[:longest]
            if len(text) >= least:
                pieces.append({"text": text, "numbers": _numbers(each), "package": package, "kind": each.kind,
                               "parameters": _parameters(each)})
                places.append(file if each.kind == "module" else f"{file}:{each.line}")
        if len(pieces) == before:
            raise UserError("empty", f"data.packages.{package}", f"no docstring of {least} characters or more. Leave "
                            "it out, or lower data.least.")
    return pieces, places


def _encodable(text: str) -> str:
    """An escape in a docstring can be half of a surrogate pair, which UTF-8 lacks."""
    return text.encode(errors="replace").decode()


def _numbers(each: Object) -> NDArray[np.float64]:
    """(4,), see `COLUMNS`."""
    return np.array([each.lines, each.nesting, len(each.name), each.defaults], np.float64)


def _parameters(each: Object) -> NDArray[np.float64]:
    """(1,); NaN where it is unknown."""
    return np.array([np.nan if each.parameters is None else each.parameters], np.float64)


def _remove_labels(pieces: Sequence[Piece], train: NDArray[np.int64], settings: Settings) -> None:
    """Make targets unknown in all but the share of the training items that is labelled."""
    strata = ["\0".join(_stratum(pieces[index][name]) for name in settings.unlabelled) for index in train]
    for index in train[~draw_labelled(strata, settings.labelled, settings.seed)]:
        for name in settings.unlabelled:
            value = pieces[index][name]
            pieces[index][name] = UNKNOWN if isinstance(value, str) else np.full_like(value, np.nan)


def _stratum(value: Any) -> str:
    """A class, or whether a number is known: of each, some keep their labels."""
    return value if isinstance(value, str) else str(np.isfinite(value).all())
