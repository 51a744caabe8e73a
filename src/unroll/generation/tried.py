"""A pattern of a stranger, tried in a process that can be ended: a short one may need more than any memory holds."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache

from unroll.base.errors import UserError
from unroll.generation.pattern import Pattern

SECONDS = 5             # `(a|b)*a(a|b){18}` takes a minute, each further count doubles it
MEMORY = 4 * 2**30      # bytes of addresses


def try_pattern(pattern: str, vocabulary: Sequence[bytes | None], length: int | None, end: int | None) -> None:
    """Raises `UserError` where its automaton takes too long to be made."""
    _try(json.dumps([pattern, [None if each is None else each.hex() for each in vocabulary], length, end]), pattern)


@lru_cache(64)
def _try(job: str, pattern: str) -> None:
    # the same code, from an archive if so; threads of NumPy would need addresses
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run([sys.executable, "-m", __name__], input=job, env=environment, text=True, timeout=SECONDS,
                              capture_output=True, check=False)
    except subprocess.TimeoutExpired:
        done = None
    if done is None or done.returncode < 0 or "memory" in done.stderr.lower():
        raise UserError(f"pattern: {pattern!r} takes more than {SECONDS} seconds to prepare. Give a shorter one, with "
                        "smaller counts.")
    if done.returncode:
        raise RuntimeError(done.stderr)


def _make(job: str) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (2 * SECONDS, 2 * SECONDS))     # should nobody be there to end it
    pattern, vocabulary, length, end = json.loads(job)
    with suppress(UserError):       # who asked finds out as quickly
        Pattern(pattern, [None if each is None else bytes.fromhex(each) for each in vocabulary], length, end)


if __name__ == "__main__":
    _make(sys.stdin.read())
