"""Python code in a process with its own `sys.path` and its own modules of `unroll`.

It is forked from one that has imported torch and Lightning and nothing of ours: that import is most of what it would cost.
"""

import os
import sys
import tempfile
from collections.abc import Mapping, Sequence
from multiprocessing import get_context
from pathlib import Path

SERVER = get_context("forkserver")
SERVER.set_forkserver_preload(["lightning.pytorch", "matplotlib.figure", "pandas", "scipy.special"])


def forked(
    code: str, *arguments: object, cwd: Path, path: Sequence[Path], environment: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Its exit code, and what it wrote to both streams; `path` stands before the installed packages."""
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as output:
        process = SERVER.Process(target=_inside, args=(
            code, [str(each) for each in arguments], cwd, [str(each) for each in path], dict(os.environ) | dict(environment or {}),
            output.name))
        process.start()
        process.join()
        assert process.exitcode is not None
        return process.exitcode, output.read()


def _inside(code: str, arguments: list[str], cwd: Path, path: list[str], environment: dict[str, str], output: str) -> None:
    with open(output, "wb") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(environment)
    installed = [each for each in sys.path if Path(each).is_relative_to(sys.prefix) or Path(each).is_relative_to(sys.base_prefix)]
    sys.path[:] = [*path, *installed]
    sys.argv[:] = ["-c", *arguments]
    assert "unroll" not in sys.modules
    exec(code, {"__name__": "__main__"})
