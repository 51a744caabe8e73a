"""Which encoding a text file is written in."""

import codecs
import re
from pathlib import Path

from unroll.base.errors import UserError
from unroll.readers.common.packed import open_bytes

SAMPLE = 1 << 20    # bytes that an encoding is guessed from
MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32",
         codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def find_encoding(file: Path) -> tuple[str, str]:
    """By a byte-order mark; else UTF-8 where the whole file is that, else a guess. The second part says how.

    Raises `UserError` when no encoding fits.
    """
    with open_bytes(file) as handle:
        sample = handle.read(SAMPLE)
    marked = next((encoding for mark, encoding in MARKS.items() if sample.startswith(mark)), None)
    if marked is not None:
        return marked, f"{marked}, with a byte-order mark"
    if _is_utf8(file):
        return "utf-8", "utf-8" if not sample.isascii() else "utf-8 (plain ASCII)"
    guess = _guess(sample)
    if guess is None:
        raise UserError("unreadable", file, "in an encoding of text that cannot be recognised. Name it, such as "
                        "cp1252.")
    return guess, f"not utf-8; guessed {guess}: check that letters with accents are right"


def _guess(sample: bytes) -> str | None:
    """What a text that is not UTF-8 may be; few accents among ASCII are little evidence."""
    from charset_normalizer import from_bytes

    beyond = re.findall(rb"[\x80-\xff]+", sample)
    latin = sum(len(run) == 1 for run in beyond) > 0.6 * len(beyond)       # in other scripts, they come in runs
    best = from_bytes(sample, cp_isolation=["cp1252", "cp1250", "cp1254", "cp1257"] if latin else None).best()
    if best is None:
        return None
    if latin and sample.decode("cp1252", errors="replace") == sample.decode(best.encoding, errors="replace"):
        return "cp1252"
    return codecs.lookup(best.encoding).name


def _is_utf8(file: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with open_bytes(file) as handle:
        try:
            while block := handle.read(SAMPLE):
                decoder.decode(block)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True
