"""Files without targets → sequences: text, tables, arrays, `.ts` files, or a folder of such."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from unroll.base.errors import UserError
from unroll.data.spec import InputSpec, Spec, TableReading
from unroll.sources import table as tables
from unroll.sources.columns import NUMBER, Columns, to_numbers
from unroll.sources.tabular import CSV, PARQUET, Format, column_names, is_parquet, read_parts
from unroll.sources.text import blocks

TABLES = tuple(ending for ending in (*CSV, *PARQUET) if ending != ".txt")


class Given(NamedTuple):
    """Sequences and what a table calls them; `times` are the cells of each one's time column, if it has any."""

    names: Sequence[str]
    sequences: Sequence[Any]        # text, or (T, F)
    times: Sequence[Sequence[str]] | None = None


def read(path: Path, spec: Spec) -> Given:
    """What a model with this spec can predict from; raises `UserError` naming file, row and column.

    Sequences without a name of their own are numbered from 1 on; of a folder, they are called after their file.
    """
    if not path.exists():
        raise UserError(f"{path}: no such file. Give a file, or a folder of files, of the kind that the model reads.")
    if not path.is_dir():
        return _read(path, spec)
    files = sorted(file for file in path.rglob("*") if file.suffix.lower() in READERS and file.is_file()
                   and not any(part.startswith(".") for part in file.relative_to(path).parts))
    if not files:
        raise UserError(f"{path}: holds no file that can be read ({', '.join(READERS)}).")
    parts = [_read(file, spec) for file in files]
    called = [bytes(file.relative_to(path)).decode(errors="backslashreplace") for file in files]
    names = [f"{file}:{name}" if len(part.names) > 1 else file
             for file, part in zip(called, parts, strict=True) for name in part.names]
    sequences = [each for part in parts for each in part.sequences]
    times = [each for part in parts for each in part.times or ()]
    return Given(names, sequences, times if len(times) == len(names) else None)


def _read(file: Path, spec: Spec) -> Given:
    reader = READERS.get(file.suffix.lower())
    if reader is None:
        raise UserError(f"{file}: a kind of file that is not read here. Give one of {', '.join(READERS)}.")
    given = reader(file, spec)
    if not given.names:
        raise UserError(f"{file}: no sequences in it. Give at least one.")
    return given


def _texts(file: Path, spec: Spec) -> Given:
    """One text where the model was trained on a stream or on files, a line each elsewhere."""
    if not _of_text(spec):
        if spec.reading.table is not None:
            return _table(file, spec)
        raise UserError(f"{file}: text, where the model reads numbers. Give one of {', '.join(TABLES)}, .npz, .ts.")
    text = "".join(blocks([file], spec.reading.encoding))
    if spec.layout == "stream":
        return Given(["1"], [text])
    if spec.reading.whole:
        return Given(["1"], [text.removesuffix("\n")])
    lines = {str(number): line for number, line in enumerate(text.split("\n"), 1) if line}
    return Given(list(lines), list(lines.values()))


def _table(file: Path, spec: Spec) -> Given:
    """The columns that the model was trained on, or, where it was no table, every column of numbers in its order."""
    ((field, described),) = spec.inputs.items()
    reading = spec.reading
    form = Format(reading.delimiter or ("\t" if file.suffix.lower() == ".tsv" else ","), reading.decimal,
                  reading.encoding, reading.header)
    if reading.table is not None and described.names is not None:
        return _trained_table(file, form, reading.table, described)
    if described.names is not None:
        wanted = list(described.names)
        return Given(["1"], [Columns(read_parts([file], form, wanted)).numbers(wanted, "Give a number.")])
    names = column_names(file, form)
    if form.header and not is_parquet(file) and all(NUMBER.fullmatch(name.strip()) for name in names):
        raise UserError(f"{file}, row 1: numbers where the columns' names are expected. Give the table a first row of "
                        "names.")
    if _of_text(spec):
        table = Columns(read_parts([file], form, [field]))
        texts = table.texts(field, "empty. Leave it out.")
        return Given([str(row + 1) for row in range(len(texts))], texts)
    series = "sequence" if not reading.whole and "sequence" in names else None
    parts = read_parts([file], form)
    wanted, size = [name for name in names if name != series], described.width
    if len(wanted) != size:     # then those of text are none of them
        wanted = [name for name in wanted if _numeric(parts[0].table[name], form.decimal)]
    if len(wanted) != size:
        raise UserError(f"{file}: {len(wanted)} columns of numbers{f' ({some})' if (some := _some(wanted)) else ''} "
                        f"where the model reads {size}; the file has {_some(names)}. Give the columns that it was "
                        "trained on, in their order, a step a row.")
    table = Columns(parts)
    values = table.numbers(wanted, "Give a number.")
    if series is None:
        return Given(["1"], [values])
    codes, found = pd.factorize(np.array(table.texts(series, "empty. Each row needs the name of its sequence.")))
    ends = np.cumsum(np.bincount(codes))
    return Given([str(name) for name in found], np.split(values[np.argsort(codes, kind="stable")], ends[:-1]))


def _trained_table(file: Path, form: Format, rows: TableReading, field: InputSpec) -> Given:
    """The columns that the model was trained on; where rows have series or times, these too."""
    assert field.names is not None
    columns, text = list(field.names), field.kind == "tokens"
    table = Columns(read_parts([file], form, [*columns, *filter(None, (rows.series, rows.time))]))
    cells = table.texts(columns[0], "an empty text. Leave the row out.") if text else []
    if rows.series is None and text:
        return Given([str(row + 1) for row in range(len(table))], cells)
    numbers = np.zeros(0) if text else table.numbers(columns, "Mend the cell, or leave the column out.")
    found = list(tables._sequences(rows, table))
    sequences = [rows.joint.join(cells[row] for row in each.index) if text else numbers[each.index] for each in found]
    names = ["1"] if rows.series is None else [each.name for each in found]
    if rows.time is None:
        return Given(names, sequences)
    stamps = table.texts(rows.time, None)
    return Given(names, sequences, [[stamps[row] for row in each.index] for each in found])


def _numeric(column: Any, decimal: str) -> bool:
    try:
        return to_numbers(column, decimal) is not None
    except NotImplementedError:     # of dates, or nested
        return False


def _arrays(file: Path, spec: Spec) -> Given:
    """`X` or `X_test`, or the only array; (n, T, F) or (n, T), cut at `lengths` where they are given."""
    try:
        with np.load(file, allow_pickle=False) as content:
            known = content.files
            only = known[0] if len(known) == 1 else "X"
            ending = "_test" if "X_test" in known and "X" not in known else ""
            wanted = {f"X{ending}", f"lengths{ending}", only}.intersection(known)
            arrays = {name: np.asarray(content[name]) for name in wanted}
    except Exception as error:      # a damaged file can fail in any way
        reason = " ".join(str(error).split()).rstrip(".")
        raise UserError(f"{file}: not an .npz file of plain arrays: {reason}. Write one with np.savez(path, X=...).") \
            from None
    name = f"X{ending}" if f"X{ending}" in arrays else only
    if name not in arrays:
        raise UserError(f"{file}: no array X; it has {_some(known) or 'none'}. Add it.")
    values, lengths = arrays[name], arrays.get(f"lengths{ending}")
    if values.ndim not in (2, 3):
        raise UserError(f"{file}: {name} is of shape {values.shape}. Give (sequences, steps, numbers).")
    if lengths is None:
        lengths = np.full(len(values), values.shape[1])
    else:
        _check_lengths(lengths, f"{file}: lengths{ending}", f"{name} is of shape {values.shape}", values.shape)
    return Given([str(number + 1) for number in range(len(values))],
                 [each[:length] for each, length in zip(values, lengths, strict=True)])


def _array(file: Path, spec: Spec) -> Given:
    """(T, F) or (n, T, F)."""
    try:
        values = np.load(file, allow_pickle=False)
    except Exception as error:      # a damaged file can fail in any way
        reason = " ".join(str(error).split()).rstrip(".")
        raise UserError(f"{file}: not an .npy file of a plain array: {reason}. Write one with np.save(path, X).") \
            from None
    if values.ndim not in (2, 3):
        raise UserError(f"{file}: an array of shape {values.shape}. Give (steps, numbers), or several such.")
    sequences = list(values) if values.ndim == 3 else [values]
    return Given([str(number + 1) for number in range(len(sequences))], sequences)


def _check_lengths(lengths: NDArray[Any], where: str, why: str, shape: tuple[int, ...]) -> None:
    if lengths.shape != shape[:1] or lengths.dtype.kind not in "iu":
        raise UserError(f"{where} is {lengths.dtype} of shape {lengths.shape} where {why}. Give a whole number for "
                        "each sequence.")
    for at in np.flatnonzero((lengths < 1) | (lengths > shape[1]))[:1]:
        raise UserError(f"{where}: sequence {at + 1} is of length {lengths[at]} where {why}. Mend it.")


def _ts(file: Path, spec: Spec) -> Given:
    from unroll.sources.archive import cases

    read = cases(file)
    return Given([str(number + 1) for number in range(len(read))], read)


READERS: dict[str, Callable[[Path, Spec], Given]] = {
    ".txt": _texts, **dict.fromkeys(TABLES, _table), ".npz": _arrays, ".npy": _array, ".ts": _ts,
}


def _of_text(spec: Spec) -> bool:
    return any(field.kind == "tokens" for field in spec.inputs.values())


def _some(names: Sequence[str]) -> str:
    return ", ".join(map(repr, names[:5])) + (" …" if len(names) > 5 else "")
