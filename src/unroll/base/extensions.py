"""Code of other packages that a configuration names, and the lock that says which code it is.

A lock lies beside a params.yaml and lists the extensions that it names, each with the SHA-256 of its code: the files of
its distribution, byte code left out. Nothing here imports an extension.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path, PurePath

import yaml

from unroll.base.errors import UserError
from unroll.base.files import sha256, to_json, write_text

HEAD = """\
# Code of other packages that params.yaml names; a stage refuses to run other code than this.
# `unroll compose` adds what is new, `unroll extensions` locks what is installed.
"""


@dataclass(frozen=True, order=True)
class Extension:
    """An entry point, and the distribution that it is from."""

    group: str
    name: str
    distribution: str
    version: str
    sha256: str

    def __str__(self) -> str:
        return f"{self.distribution} {self.version} ({self.sha256[:12]})"


def installed(entry: EntryPoint) -> Extension:
    """An entry point as it is installed; raises `UserError` when its module cannot be found."""
    digests = {name: sha256(path) for name, path in code(entry).items()}
    name, version = (entry.dist.name, entry.dist.version) if entry.dist else (entry.module, "unknown")
    digest = hashlib.sha256(to_json(digests).encode()).hexdigest()
    return Extension(entry.group, entry.name, name, version, digest)


def code(entry: EntryPoint) -> dict[str, Path]:
    """The files of an entry point's distribution, by their names below where Python looks for modules.

    An editable install lists none of its modules: then those of the entry point's own package.
    """
    recorded = {file.as_posix(): Path(str(file.locate())) for file in (entry.dist and entry.dist.files) or ()
                if not file.parts[0].endswith((".dist-info", ".egg-info", "..")) and _is_code(file)}
    found = {name: path for name, path in recorded.items() if path.is_file()}
    top = entry.module.partition(".")[0]
    if f"{top}.py" in found or any(name.startswith(f"{top}/") for name in found):
        return found
    spec = find_spec(top)
    folders = [Path(folder) for folder in (spec and spec.submodule_search_locations) or ()]
    own = {f"{top}/{path.relative_to(folder).as_posix()}": path
           for folder in folders for path in sorted(folder.rglob("*")) if path.is_file() and _is_code(path)}
    if spec and spec.origin and not folders:
        own = {Path(spec.origin).name: Path(spec.origin)}
    if not own:
        raise UserError("extension", f"{entry.group}:{entry.name}", f"its module {top} cannot be found. Install "
                        f"{entry.dist.name if entry.dist else 'its package'} again.")
    return own


def _is_code(path: PurePath) -> bool:
    return "__pycache__" not in path.parts and path.suffix not in (".pyc", ".pth")


class Extensions:
    """Collects the extensions that a configuration names, and with a lock refuses those that are not in it."""

    def __init__(self, lock: Path | None = None) -> None:
        self.named: set[Extension] = set()
        self._lock = lock
        self._locked = None if lock is None else {(entry.group, entry.name): entry for entry in read_lock(lock)}

    def admit(self, entry: EntryPoint) -> None:
        """Called before the entry point is imported; raises `UserError` when it is not what the lock says."""
        found = installed(entry)
        self.named.add(found)
        if self._locked is None:
            return
        locked, where = self._locked.get((found.group, found.name)), f"{found.group}:{found.name}"
        if locked is None:
            raise UserError("extension", where, f"{found} is not in {self._lock}. Run `unroll compose` with the same "
                            "choices, which adds it.")
        if locked != found:
            raise UserError("extension", where, f"{found} is installed, {self._lock} has {locked}. Install the "
                            "locked one, or lock the installed one with `unroll extensions`.")

    def require(self, group: str, name: str) -> None:
        """Called when no entry point has this name; raises `UserError` when the lock says where it is from."""
        if locked := (self._locked or {}).get((group, name)):
            raise UserError("extension", f"{group}:{name}", f"not installed, {self._lock} has {locked}. Install it.")


def read_lock(path: Path) -> list[Extension]:
    """The extensions in a lock, none where there is no such file; raises `UserError` when it is not one."""
    try:
        return [Extension(**entry) for entry in yaml.safe_load(path.read_text(encoding="utf-8")) or ()]
    except FileNotFoundError:
        return []
    except (yaml.YAMLError, UnicodeDecodeError, TypeError):
        raise UserError("damaged", path, "not a list of extensions. Write it again with `unroll extensions`.") from None


def write_lock(path: Path, extensions: Iterable[Extension]) -> None:
    write_text(path, HEAD + yaml.safe_dump([asdict(extension) for extension in sorted(extensions)], sort_keys=False))


def kept(named: Iterable[Extension], locked: Iterable[Extension]) -> list[Extension]:
    """The lock for a configuration that names `named`: what was locked stays, what is new is taken as installed."""
    before = {(extension.group, extension.name): extension for extension in locked}
    return sorted(before.get((extension.group, extension.name), extension) for extension in named)
