"""What a source may reach: files below `data/raw/`, and files from the network."""

from dataclasses import dataclass
from pathlib import Path

from unroll.base.errors import UserError
from unroll.readers.common.folder_keys import LISTS


@dataclass(frozen=True)
class Access:
    """`mirror` is a folder that is searched before anything is fetched; `progress` shows a bar while it is.

    `scratch` is for temporary files as large as the data; None: where the system keeps its own, which may be in memory.
    """

    project: Path
    mirror: Path | None = None
    progress: bool = False
    scratch: Path | None = None

    def files(self, pattern: str, setting: str = "data.path") -> list[Path]:
        """The files of a path, a folder or a glob below `data/raw/`, sorted by name; at least one."""
        return find_files(self.project, pattern, setting)

    def fetch(self, url: str, sha256: str) -> Path:
        """The local copy of a file from the network, checked against its SHA-256."""
        from unroll.sources.common.download import fetch

        return fetch(url, sha256, self.mirror, self.progress)


def find_files(project: Path, pattern: str, setting: str = "data.path") -> list[Path]:
    if ".." in Path(pattern).parts or Path(pattern).is_absolute() or Path(pattern).parts[:2] != ("data", "raw"):
        raise UserError("unsupported", setting, f"{pattern!r} is not below data/raw, which DVC watches. Copy or link "
                        "it there.")
    place = project / pattern
    try:
        found = place.rglob("*") if place.is_dir() else [place] if place.is_file() else project.glob(pattern)
        files = sorted(file for file in found if file.is_file() and not _hidden(file.relative_to(project)))
    except ValueError as error:     # a glob that pathlib does not know
        raise UserError("wrong-type", setting, f"{pattern!r}: {error}.") from None
    if not files:
        raise UserError("missing-file", setting, f'no such file "{pattern}". Give a file, a folder or a glob below '
                        "data/raw.")
    return files


def _hidden(name: Path) -> bool:
    return any(part.startswith(".") for part in name.parts) or name.suffix == ".dvc" or name.name in LISTS
