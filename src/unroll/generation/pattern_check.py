"""A stranger's pattern, prepared first in a process that can be ended: a short one may need more than any memory."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache

from unroll.base.errors import UserError
from unroll.config.sampling import SettingError
from unroll.generation.pattern import Pattern

SECONDS = 5             # `(a|b)*a(a|b){18}` takes a minute, each further count doubles it
MEMORY = 4 * 2**30      # bytes of addresses


def check_pattern(pattern: str, vocabulary: Sequence[bytes | None], length: int | None, end: int | None) -> None:
    """Raises `SettingError` where the pattern's automaton takes too long to make."""
    symbols = [None if symbol is None else symbol.hex() for symbol in vocabulary]
    _check(json.dumps([pattern, symbols, length, end]), pattern)


@lru_cache(64)
def _check(job: str, pattern: str) -> None:
    # the same code, which may come from an archive; NumPy's threads would need addresses
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run([sys.executable, "-m", __name__], input=job, env=environment, text=True, timeout=SECONDS,
                              capture_output=True, check=False)
    except subprocess.TimeoutExpired:
        done = None
    if done is None or done.returncode < 0 or "memory" in done.stderr.lower():
        raise SettingError("too-large", ["pattern"], "{expression!r:.60} takes more than {seconds} seconds to prepare. "
                           "Give a shorter one, with smaller counts.", expression=pattern, seconds=SECONDS)
    if done.returncode:
        raise RuntimeError(done.stderr)


def _make(job: str) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (2 * SECONDS, 2 * SECONDS))     # in case the parent has died
    pattern, vocabulary, length, end = json.loads(job)
    with suppress(UserError):       # the caller finds out as quickly
        Pattern(pattern, [None if symbol is None else bytes.fromhex(symbol) for symbol in vocabulary], length, end)


if __name__ == "__main__":
    _make(sys.stdin.read())
