"""The code that a served model is imported from, beside it in an archive."""

import zipfile
from pathlib import Path

import unroll
from unroll.base.errors import UserError
from unroll.base.extensions import code
from unroll.config.kinds import foreign
from unroll.models.manifest import open_folder

COMPILED = (".so", ".pyd", ".dylib", ".dll")


def write_code(path: Path, folder: Path) -> None:
    """An archive to import from: this package, and those that the model's own kinds come from.

    The same code is the same bytes. Raises `UserError` when an archive cannot carry it.
    """
    package = Path(unroll.__file__).parent
    files = {file.relative_to(package.parent).as_posix(): file.read_bytes() for file in package.rglob("*.py")}
    files |= foreign_code(folder)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)


def foreign_code(folder: Path) -> dict[str, bytes]:
    """The code of other packages that a model is made of, and what says that it is installed, by name."""
    files: dict[str, bytes] = {}
    for entry in foreign(open_folder(folder).config):
        for name, path in code(entry).items():
            if path.suffix in COMPILED:
                raise UserError("extension", f"{entry.group}:{entry.name}", f"its package has compiled code ({name}), "
                                "which the archive that MLflow imports from cannot carry.")
            files[name] = path.read_bytes()
        assert entry.dist is not None
        for name in ("METADATA", "entry_points.txt"):
            folder_name = f"{entry.dist.name}-{entry.dist.version}.dist-info"
            files[f"{folder_name}/{name}"] = (entry.dist.read_text(name) or "").encode()
    return files
