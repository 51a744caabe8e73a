"""What `init` wrote under a name before, which `--force` replaces, and nothing else."""

import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

from unroll.base.errors import UserError
from unroll.base.files import sha256, write_json
from unroll.commands.init.draft import report


class Former:
    """Files of an earlier `init` of this name, by their digests in .unroll/init/NAME.json."""

    def __init__(self, project: Path, name: str) -> None:
        self._project, self._name = project, name
        self._record = project / ".unroll" / "init" / f"{name}.json"
        known = json.loads(self._record.read_text(encoding="utf-8")) if self._record.is_file() else {}
        self._known: dict[str, str] = known
        self._aside: Path | None = None

    def check(self, paths: Iterable[Path]) -> None:
        """Raises `UserError` on a file at or below the paths that `init` did not write."""
        for file in _files(paths):
            if self._place(file) not in self._known:
                raise UserError("exists", file, f"not written by `unroll init {self._name}` here, which replaces its "
                                "own files alone. Move it elsewhere, or choose another name.")

    def set_aside(self, paths: Iterable[Path], undo: ExitStack) -> None:
        """Move what is at the paths away; `undo` moves it back."""
        folder = self._record.parent
        self._aside = next(path for number in count(1) if not (path := folder / f"{self._name}.{number}").exists())
        for path in paths:
            if path.exists():
                to = self._aside / self._place(path)
                to.parent.mkdir(parents=True, exist_ok=True)
                path.rename(to)
                undo.callback(to.rename, path)

    def finish(self, written: Iterable[Path]) -> None:
        """Remember what is written now; remove what it replaces, but for files that were edited since."""
        for file in _files([] if self._aside is None else [self._aside]):
            place = file.relative_to(self._aside or file).as_posix()
            if sha256(file) == self._known.get(place):
                file.unlink()
            else:
                report("kept", f"{place}, which was edited since `init` wrote it, as {file}")
        if self._aside is not None:
            for path in [*sorted(self._aside.rglob("*"), reverse=True), self._aside]:
                if path.is_dir() and not any(path.iterdir()):
                    path.rmdir()
        before = {place: digest for place, digest in self._known.items() if (self._project / place).is_file()}
        write_json(self._record, before | {self._place(file): sha256(file) for file in _files(written)})

    def _place(self, path: Path) -> str:
        return path.relative_to(self._project).as_posix()


def _files(paths: Iterable[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(file for file in path.rglob("*") if not file.is_dir())
        elif path.exists() or path.is_symlink():
            yield path

