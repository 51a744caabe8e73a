"""Installed packages as text: found by the name of a distribution or of a module, read without importing them."""

import ast
import hashlib
import importlib.util
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

from unroll.base.errors import UserError

NOT_CODE = ("test", "tests", "doc", "docs", "example", "examples", "benchmarks")    # stray folders beside a package


@dataclass(frozen=True)
class Package:
    """`name` is imported, `distribution` is installed: sklearn and scikit-learn."""

    name: str
    distribution: str
    folder: Path
    licence: str        # "not stated" where its metadata has none


def find_package(name: str, version: str, setting: str | None = None) -> Package:
    """A package by its own name or its distribution's; raises `UserError` unless this version of it is installed.

    `setting` is where both are asked for, if not at `data.package` and `data.version`.
    """
    named, numbered = setting or "data.package", setting or "data.version"
    found = _distribution(name, named)
    folders = _folders(found, name) if found is not None else {}
    if found is None or not folders:
        raise UserError("not-installed", named, f"{name!r} is not an installed package. Install it, or choose "
                        "networkx.")
    module = next((module for module in folders if _normal(module) == _normal(name)), None)
    if module is None and len(folders) > 1:
        raise UserError("ambiguous", named, f"{name!r} installs several packages: "
                        f"{', '.join(sorted(folders))}. Name one of them.")
    module = module or next(iter(folders))
    if found.version != version:
        raise UserError("wrong-version", numbered, f"{name} {found.version} is installed where {version} is "
                        f"asked for; another version is another text. Install {found.name}=={version}, or set "
                        f"{numbered}={found.version}.")
    stated = [found.metadata[field] for field in ("License-Expression", "License") if field in found.metadata]
    licence = next((text.splitlines()[0] for text in stated if text), "not stated")
    return Package(module, found.name, folders[module], licence)


def _distribution(name: str, setting: str) -> Distribution | None:
    """By its own name, or else the only one that a module of that name comes from."""
    try:
        return distribution(name)
    except (PackageNotFoundError, ValueError):
        owners = sorted(set(packages_distributions().get(name, ())))
    if len(owners) > 1:
        raise UserError("ambiguous", setting, f"{name!r} comes from several distributions: {', '.join(owners)}. "
                        "Name one of them.")
    return distribution(owners[0]) if owners else None


def import_names(package: Package) -> set[str]:
    """Every name that is imported from the package's distribution: matplotlib, mpl_toolkits, pylab."""
    tops = {file.parts[0] for file in distribution(package.distribution).files or () if file.suffix in (".py", ".so")}
    names = {top.split(".")[0] for top in tops}
    return {name for name in names if name.isidentifier() and not name.startswith("_") and name not in NOT_CODE} \
        | {package.name}


def _folders(found: Distribution, name: str) -> dict[str, Path]:
    """The packages of a distribution by dotted name: the topmost folders that have an __init__.py.

    The package of the name that was asked for comes first, as Python would import it; a distribution may list no files.
    """
    folders: dict[str, Path] = {}
    if name.isidentifier() and (spec := importlib.util.find_spec(name)) is not None and spec.submodule_search_locations:
        folders[name] = Path(spec.submodule_search_locations[0])
    for file in sorted(found.files or (), key=lambda file: len(file.parts)):
        *parents, last = file.parts
        module = ".".join(parents)
        if last == "__init__.py" and parents and all(part.isidentifier() for part in parents) \
                and not parents[0].startswith("_") and parents[0] not in NOT_CODE \
                and not any(module.startswith(f"{outer}.") for outer in folders):
            folders.setdefault(module, Path(str(found.locate_file(file))).parent)
    return folders


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def order(seed: int, name: Path) -> bytes:
    """A sort key that puts files into an order of their own for each seed."""
    return hashlib.sha256(f"{seed}:{name.as_posix()}".encode()).digest()


def parse(file: Path) -> ast.Module:
    """The syntax tree of a Python file; an empty one if it does not parse: a template, a file of another Python."""
    try:
        return ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return ast.Module(body=[], type_ignores=[])


def docstrings(file: Path) -> Iterator[str]:
    """Each docstring of a Python file, followed by an empty line; none of a file that does not parse."""
    for node in ast.walk(parse(file)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield text + "\n\n"
