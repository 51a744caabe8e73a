"""Outputs appear whole or not at all: written under a temporary name, synced, then renamed."""

import csv
import errno
import glob
import hashlib
import json
import os
import re
import shutil
import socket
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BufferedRandom
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

HOST = re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname())


def sha256(path: Path) -> str:
    """Hexadecimal digest of a file's content, read in constant memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def to_json(value: Any) -> str:
    """The one spelling of JSON that every output uses, so that equal values are equal bytes."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, and move what was written there, file or folder, to `path` on success."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _beside(path, "partial")
    _tidy(path)
    try:
        yield temporary
        _sync(temporary)
        if path.is_dir():
            # a folder cannot be renamed over a folder that is not empty
            old = _beside(path, "old")
            path.rename(old)
            try:
                temporary.rename(path)
            except BaseException:
                old.rename(path)
                raise
            shutil.rmtree(old)
        else:
            temporary.replace(path)
        _sync_folder(path.parent)
    except BaseException as error:
        _remove(temporary)
        if isinstance(error, OSError) and error.errno and not error.filename:   # a full disk does not say which
            error.filename = str(path)
        raise


def _beside(path: Path, ending: str) -> Path:
    return path.with_name(f".{path.name}.{HOST}.{os.getpid()}.{ending}")


def _tidy(path: Path) -> None:
    """Remove temporary files of `path` that killed processes of this machine have left."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.{HOST}.*"):
        found = re.fullmatch(r"(\d{1,9})\.(partial|old)", left.name.removeprefix(f".{path.name}.{HOST}."))
        if found and (int(found[1]) == os.getpid() or not _alive(int(found[1]))):
            _remove(left)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:     # of another user
        return True
    return True


def write_text(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()) -> None:
    """A CSV table of rows with the same names; `columns` name the columns of a table without rows."""
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, list(rows[0]) if rows else columns, lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def write_json(path: Path, value: Any) -> None:
    write_text(path, to_json(value))


def unnamed(owner: object, folder: Path | None) -> BufferedRandom:
    """A temporary file without a name, which is gone with its owner, and when the process is killed.

    `folder` None: where the system keeps its own.
    """
    file = TemporaryFile(dir=folder)        # noqa: SIM115, closed when the owner is collected
    weakref.finalize(owner, file.close)
    return file


def write_json_list(path: Path, values: Iterable[Any]) -> None:
    """What `write_json` would write of the list of at least one of these, one in memory at a time."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        for number, value in enumerate(values):
            lines = to_json(value)[:-1].replace("\n", "\n  ")
            file.write(("," if number else "[") + "\n  " + lines)
        file.write("\n]\n")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _sync_folder(path: Path) -> None:
    """Flush the directory entry, so that the rename survives a crash."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    except OSError as error:        # some network file systems cannot
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(folder)


def _sync(path: Path) -> None:
    for file in path.rglob("*") if path.is_dir() else [path]:
        if file.is_file():
            with file.open("rb") as handle:
                os.fsync(handle.fileno())
