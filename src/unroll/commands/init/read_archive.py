"""A file of arrays → its archive: which array has the steps, and which may be fields."""

import re
import shlex
from contextlib import closing
from pathlib import Path
from typing import Any

from unroll.base.errors import Code, UserError
from unroll.commands.init.archive import LABEL, Archive, Array, column_of
from unroll.commands.init.columns import Column
from unroll.commands.init.draft import Options, known, report
from unroll.config.data import CONTEXT, STATIC
from unroll.readers import format_of

LENGTHS = re.compile(r"(.*_)?(len(gth)?s?|n_?steps|num_?steps|n_?frames)", re.I)
MASK = re.compile(r"(.*_)?(mask|valid|observed)", re.I)


def read_archive(file: Path, options: Options) -> Archive:
    """Raises `UserError` where an array cannot be read or used, or nothing shows which one has the steps."""
    reader = format_of(file, "arrays")
    assert reader is not None
    with closing(reader.Arrays(file)) as arrays:
        splits = arrays.by_split()
        asked = {"--target": options.targets, "--input": options.inputs, "--kind": tuple(dict(options.kinds))}
        for option, names in asked.items():
            for name in names:
                known(name, splits, option, "array")
        named = {name for names in asked.values() for name in names}
        found = {name: _header(arrays, name, stored) for name, stored in splits.items()
                 if "train" in stored and options.kind_of(name) != "none"}
        lengths = {name: found.pop(name) for name in list(found) if name not in named and (
            name == "lengths" or (name.endswith("_lengths") and name.removesuffix("_lengths") in found))}
        archive = Archive(file, _main(file, found, options))
        archive.own = {name.removesuffix("_lengths") for name in lengths} - {"lengths", archive.main.name}
        for name, stored in splits.items():
            if name in found and _fits(archive, found[name], name in named):
                archive.arrays[name] = found[name]
            elif "train" not in stored:
                if name in named or LABEL.fullmatch(name):
                    arrays.name(name, "train")
                archive.leave(name, "no training split of it")
            elif options.kind_of(name) == "none":
                archive.leave(name)
        for name, array in archive.arrays.items():
            steps = lengths.get(f"{name}_lengths") if name in archive.own else (
                lengths.get("lengths") if archive.per_step(array) else None)
            fit = steps is not None and steps.shape == array.shape[:1] and steps.dtype.kind in "iu"
            own = arrays.load(steps.splits["train"]) if steps is not None and fit else None
            archive.columns[name] = column_of(arrays, array, own)
            report("array", f"{array.splits['train']!r} {array.dtype} {array.shape}: "
                            f"{archive.columns[name].describe()}{', of the first sequences' * array.large}")
    for name, array in lengths.items():
        of = name.removesuffix("_lengths") if name != "lengths" else archive.main.name
        report("lengths", f"{array.splits['train']!r}: how many steps each sequence of {of!r} has")
    _refuse_lengths(archive, lengths, named)
    return archive


def _header(arrays: Any, name: str, splits: dict[str, str]) -> Array:
    try:
        dtype, shape, _ = arrays.header(splits["train"])
    except UserError as error:
        raise UserError(error.code, error.where, f"{error.text} Or leave it out: --kind {shlex.quote(name)}=none."
                        ) from None
    return Array(name, splits, dtype, shape)


def _main(file: Path, found: dict[str, Array], options: Options) -> Array:
    """The array that has the steps: as the options have it, or X, or the only one of such a shape."""
    others = (*STATIC, *CONTEXT, "class", "value", "tag", "values", "labels")
    fit = [array for array in found.values()
           if len(array.shape) in (2, 3) and options.kind_of(array.name) not in others]
    if asked := [array for array in fit if options.kind_of(array.name) is not None]:
        return asked[0]
    read = [array for array in fit if array.name in options.inputs] if options.inputs else [
        array for array in fit if array.name not in options.targets and not LABEL.fullmatch(array.name)]
    for among in ([array for array in read if array.name.casefold() == "x"],
                  [array for array in read if len(array.shape) == 3], read,
                  [array for array in fit if array.name in options.targets]):
        if len({array.shape[1] for array in among}) > 1:
            first, second = sorted(among, key=lambda array: -array.shape[1])[:2]
            raise UserError("ambiguous", "--kind", f"{first.name!r} has {first.shape[1]} and {second.name!r} "
                            f"{second.shape[1]} in its second axis: which are the steps? Choose --kind "
                            f"{shlex.quote(first.name)}=real, or --kind {shlex.quote(second.name)}=real.")
        if among:
            return among[0]
    listed = ", ".join(f"{array.name!r} {array.shape}" for array in found.values()) or "none with a training split"
    raise UserError("missing-value", file, f"no array of sequences to read, (n, T, F) or (n, T); it has {listed}. "
                    "Add it, as X_train.")


def _fits(archive: Archive, array: Array, named: bool) -> bool:
    """Whether an array may be a field by its header; raises `UserError` where it is none but must be."""
    main = archive.main
    missing = [split for split in main.splits if split not in array.splits]
    code: Code = "wrong-type"
    if not array.shape:
        reason = "one value, not one for each sequence"
    elif array.dtype.kind not in "iufbUS":
        reason = f"{array.dtype}, which is not read"
    elif len(array.shape) > 3:
        reason = f"{len(array.shape)} axes where (n, T, F) has three"
    elif array.shape[0] != main.shape[0]:
        code, reason = "unequal-lengths", f"{array.shape[0]:,} rows where {main.name!r} has {main.shape[0]:,} sequences"
    elif missing:
        code, reason = "missing-value", f"no {' and no '.join(missing)} split, which {main.name!r} has"
    else:
        return True
    if named or array is main or LABEL.fullmatch(array.name):
        raise UserError(code, archive.where(array), f"{reason}. Correct it, or leave it out: --kind "
                        f"{shlex.quote(array.name)}=none.")
    archive.leave(array.name, reason)
    return False


def _refuse_lengths(archive: Archive, lengths: dict[str, Array], named: set[str]) -> None:
    """Raise where an array seems to say which steps are a sequence's own, which only arrays of other names say."""
    for name, array in [*lengths.items(), *archive.arrays.items()]:
        if name in named or name == "lengths" or name.removesuffix("_lengths") in archive.own:
            continue
        column = archive.columns.get(name)
        mask = column is not None and _is_mask(array, column, archive.main)
        if mask or column is None or _are_lengths(array, column, archive.main):
            what, way, kind = ("which steps are a sequence's own", "Write how many are", "real") if mask else (
                "how many steps each sequence has", "Write it", "static_real")
            raise UserError("ambiguous", archive.where(array), f"its name says that it is {what}. {way} as "
                            f"lengths_train; or read it, --kind {shlex.quote(name)}={kind}; or leave it out, --kind "
                            f"{shlex.quote(name)}=none.")


def _are_lengths(array: Array, column: Column, main: Array) -> bool:
    return bool(LENGTHS.fullmatch(array.name) and array.shape == main.shape[:1] and column.distinct and column.whole
                and column.present.min() >= 0 and column.present.max() <= main.shape[1])


def _is_mask(array: Array, column: Column, main: Array) -> bool:
    return bool(MASK.fullmatch(array.name) and array is not main and array.shape == main.shape[:2]
                and column.kind == "number" and {*column.present.tolist()} <= {0, 1})
