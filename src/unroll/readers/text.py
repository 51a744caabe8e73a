"""Plain text, decoded block by block: never more than a block of it in memory."""

import codecs
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from unroll.base.errors import UserError
from unroll.readers.common.advice import named, remedy
from unroll.readers.common.packed import open_bytes

HOLDS = "text"
ENDINGS = (".txt",)
STREAMED = True
BLOCK = 1 << 20     # bytes read at a time


def blocks(files: Sequence[Path], encoding: str) -> Iterator[str]:
    """The files' text, one after another: byte-order marks removed, line ends as newlines.

    Raises `UserError` on an unknown encoding, and on bytes that are not text in it.
    """
    for file in files:
        last = ""
        try:
            with open_bytes(file) as handle:
                for block in _decode(handle, file, encoding):
                    last = block
                    yield block
        except OSError as error:
            raise UserError("unreadable", file, f"cannot be read ({error.strerror}). Check its permissions.") from None
        if last and not last.endswith("\n") and file != files[-1]:
            yield "\n"      # the next file's first line is a line of its own


def whole_text(file: Path, encoding: str) -> str:
    """One file's text as `blocks` decodes it."""
    return "".join(blocks([file], encoding))


def _decode(handle: BinaryIO, file: Path, encoding: str) -> Iterator[str]:
    try:
        codec = codecs.lookup("utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding)
        if "".encode(encoding).decode(encoding) != "":      # hex, rot13: no encodings of text
            raise LookupError
    except (LookupError, UnicodeError):
        raise UserError("unknown-name", named("encoding"), f"unknown encoding {encoding!r}; try utf-8, gb18030 or "
                        "cp1252.") from None
    decoder = io.IncrementalNewlineDecoder(codec.incrementaldecoder(), translate=True)
    read = 0
    while True:
        raw = handle.read(BLOCK)
        try:
            text = decoder.decode(raw, final=not raw)    # bytes: they go to the inner decoder
        except UnicodeDecodeError as error:
            offset = read + len(raw) - len(error.object) + error.start
            raise UserError("unreadable", file, f"not {encoding} at byte {offset}."
                            f"{_suggest(file, codec, offset)}") from None
        except UnicodeError as error:       # utf-16 without its mark
            raise UserError("unreadable", file, f"not {encoding}: {error}.{_suggest(file, codec, 0)}") from None
        read += len(raw)
        if text:
            yield text.removeprefix("\ufeff") if read == len(raw) else text
        if not raw:
            return


def _suggest(file: Path, codec: codecs.CodecInfo, offset: int) -> str:
    """Advice: the encoding that the text around a wrong byte may have; the text before it may be plain ASCII."""
    from charset_normalizer import from_bytes

    with open_bytes(file) as handle:
        before = max(0, offset - BLOCK // 2)
        while before > 0:       # read, since what is compressed has no other way to get there
            before -= len(handle.read(min(before, BLOCK)))
        best = from_bytes(handle.read(BLOCK)).best()
    if best is None or codecs.lookup(best.encoding).name == codec.name.removesuffix("-sig"):
        return remedy("Give the encoding that it was written in as {}.", "encoding")
    return f" It may be {best.encoding}.{remedy(f'Set {{}} to {best.encoding}.', 'encoding')}"
