"""A stranger's pattern, prepared first in a process that can be ended: a short one may need more than any memory."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache

from unroll.base.errors import UserError
from unroll.config.sampling import Sampling, SettingError
from unroll.data.tokenizers import Tokenizer
from unroll.generation.pattern import Pattern, pattern_of

SECONDS = 5             # of computing; `(a|b)*a(a|b){18}` takes a minute, each further count doubles it
PATIENCE = 6            # times as long on a busy machine, the start of the process included
MEMORY = 4 * 2**30      # bytes of addresses


def check(settings: Sampling, tokenizer: Tokenizer) -> None:
    """Raises `SettingError` where nothing that is asked for can be written, or a pattern takes too long."""
    if settings.pattern is not None:
        check_pattern(settings.pattern, tokenizer.vocabulary, settings.length, tokenizer.end)
    pattern_of(settings, tokenizer)


def check_pattern(pattern: str, vocabulary: Sequence[bytes | None], length: int | None, end: int | None) -> None:
    """Raises `SettingError` where the pattern's automaton takes too long to make."""
    symbols = [None if symbol is None else symbol.hex() for symbol in vocabulary]
    _check(json.dumps([pattern, symbols, length, end]), pattern)


@lru_cache(64)
def _check(job: str, pattern: str) -> None:
    # the same code, which may come from an archive; NumPy's threads would need addresses
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run([sys.executable, "-m", __name__, str(SECONDS)], input=job, env=environment, text=True,
                              timeout=PATIENCE * SECONDS, capture_output=True, check=False)
    except subprocess.TimeoutExpired:
        done = None
    if done is None or done.returncode < 0 or "memory" in done.stderr.lower():
        raise SettingError("too-large", ["pattern"], "{expression!r:.60} takes more than {seconds} seconds to prepare. "
                           "Give a shorter one, with smaller counts.", expression=pattern, seconds=SECONDS)
    if done.returncode:
        raise RuntimeError(done.stderr)


def _make(job: str, seconds: float) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    signal.setitimer(signal.ITIMER_PROF, seconds)       # ends the process, also when its parent has died
    pattern, vocabulary, length, end = json.loads(job)
    with suppress(UserError):       # the caller finds out as quickly
        Pattern(pattern, [None if symbol is None else bytes.fromhex(symbol) for symbol in vocabulary], length, end)


if __name__ == "__main__":
    _make(sys.stdin.read(), float(sys.argv[1]))
