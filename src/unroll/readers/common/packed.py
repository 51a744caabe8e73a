"""Files that are compressed, read as what is in them: .gz, .bz2, .xz, .zst, and a .zip of one file."""

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from unroll.base.errors import UserError

Opened = Callable[[Path], Any]      # a file → its bytes, with `read` and `close`
BROKEN = (EOFError, OSError, ValueError, RuntimeError, NotImplementedError, zlib.error, lzma.LZMAError,
          zipfile.BadZipFile)


def is_packed(file: Path) -> bool:
    return file.suffix.lower() in PACKINGS


def ending_of(file: Path) -> str:
    """That of what is in the file, in lower case: .csv of a.csv, a.CSV.gz, or a.zip that has one .csv in it.

    Raises `UserError` on a .zip that cannot be read, or of several files.
    """
    return PurePosixPath(_inner(file)).suffix.lower()


def stem_of(file: Path) -> str:
    """The file's name without that ending and what it is compressed by."""
    return (Path(file.stem) if is_packed(file) and Path(file.stem).suffix.lower() == ending_of(file) else file).stem


def open_bytes(file: Path) -> BinaryIO:
    """The file's content; reading raises `UserError` where it is damaged, and `OSError` where it cannot be opened."""
    opener = PACKINGS.get(file.suffix.lower())
    return file.open("rb") if opener is None else io.BufferedReader(_Unpacked(file, opener(file)))


class _Unpacked(io.RawIOBase):
    """What is in a compressed file, which ends early or is damaged in one way only: with a `UserError`."""

    def __init__(self, file: Path, content: Any) -> None:
        self._file, self._content = file, content

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            content = self._content.read(len(buffer))
        except BROKEN as error:
            raise _damaged(self._file, error) from None
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        if not self.closed:
            self._content.close()
        super().close()


def _inner(file: Path) -> str:
    """The name of what is in the file."""
    if file.suffix.lower() == ".zip" and file.is_file():
        with _archive(file) as archive:
            name = _member(file, archive).filename
            return name if PurePosixPath(name).suffix else file.stem
    return file.stem if is_packed(file) else file.name


def _archive(file: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except BROKEN as error:
        raise _damaged(file, error) from None


def _member(file: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """The only file in an archive, without folders and what systems add."""
    found = [member for member in archive.infolist() if not member.is_dir() and not any(
        part == "__MACOSX" or (part.startswith(".") and part != "..") for part in PurePosixPath(member.filename).parts)]
    if not found:
        raise UserError("empty", file, "no file in it. Give one with a table or a text.")
    if len(found) > 1:
        names = ", ".join(repr(member.filename) for member in found[:5]) + " …" * (len(found) > 5)
        raise UserError("ambiguous", file, f"{len(found)} files in it, {names}, where one is read. Unpack it, and give "
                        "the one to read, or a folder of those.")
    if ".." in PurePosixPath(found[0].filename).parts or PurePosixPath(found[0].filename).is_absolute():
        raise UserError("unsupported", file, f"its file {found[0].filename!r} is meant for a place outside the folder "
                        "that the archive is unpacked into. Write the archive again from the file alone.")
    if found[0].flag_bits & 1:
        raise UserError("unsupported", file, "encrypted. Unpack it with its password, and give the file in it.")
    return found[0]


def _zip(file: Path) -> Any:
    archive = _archive(file)
    try:
        content = archive.open(_member(file, archive))
    except BROKEN as error:
        raise _damaged(file, error) from None
    finally:
        archive.close()     # the open member keeps the file for itself
    return content


def _zstd(file: Path) -> Any:
    import pyarrow as pa

    try:
        return pa.CompressedInputStream(pa.OSFile(str(file)), "zstd")
    except pa.ArrowException as error:
        raise _damaged(file, error) from None


PACKINGS: dict[str, Opened] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open, ".zip": _zip, ".zst": _zstd}


def _damaged(file: Path, error: Exception) -> UserError:
    reason = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return UserError("unreadable", file, f"not a {file.suffix.lower()} file that can be unpacked: {reason}. Copy or "
                     "compress it again.")
