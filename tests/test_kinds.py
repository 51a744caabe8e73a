"""A kind is known to its own files alone, so that adding one edits no other."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import REPOSITORY
from unroll.base.kinds import Kinds
from unroll.config.cells import CELLS
from unroll.config.encoders import ENCODERS
from unroll.config.heads import HEADS
from unroll.config.losses import LOSSES
from unroll.config.poolings import POOLINGS
from unroll.config.sources import SOURCES
from unroll.config.tokenizers import TOKENIZERS

ALL = (CELLS, ENCODERS, HEADS, LOSSES, POOLINGS, SOURCES, TOKENIZERS)
# names that are also words of other things: kinds of targets, of fields and of files, reductions, parts of a sequence
WORDS = {"text", "table", "category", "folder", "labels", "forecast", "real", "last", "mean", "max", "word", "char", "byte", "url", "npz",
         "ts", "aeon", "code", "docs", "packages", "signals"}
# files that name kinds because that is what they are for
NAMED = {
    "explain/gradients.py": "compares the cells of the literature",
    "models/migration.py": "what older formats had",
    "data/migration.py": "what older formats had",
    "commands/init": "chooses for a user",
    "testing": "checks heads and losses in a small network",
    "prediction/paths.py": "draws paths through the quantiles of the forecast head",
}


def files() -> Iterator[tuple[str, ast.Module]]:
    package = REPOSITORY / "src" / "unroll"
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).as_posix()
        if not any(name.startswith(reasoned) for reasoned in NAMED):
            yield name, ast.parse(path.read_text(encoding="utf-8"))


def own(name: str, kinds: Kinds) -> bool:
    """Whether a file is one of a kind's own: its settings, its code, its report."""
    things = kinds.settings.rsplit(".", 1)[1]
    return things in Path(name).parts or Path(name).stem in kinds.own


def test_no_other_file_names_a_kind() -> None:
    found = [(name, node.lineno, node.value) for name, tree in files() for node in ast.walk(tree)
             if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value not in WORDS
             for kinds in ALL if node.value in kinds.own and not own(name, kinds)]
    assert found == []


def test_no_other_file_imports_a_kind() -> None:
    found = []
    for name, tree in files():
        modules = {f"{node.module}.{alias.name}" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
                   for alias in node.names}
        if any(own(name, kinds) for kinds in ALL):
            continue            # a kind may build on another, as tied symbols do on their embedding
        for kinds in ALL:
            packages = {f"{package}.{kind}" for package in (kinds.settings, kinds.code) for kind in kinds.own}
            found += [(name, module) for module in modules for kind in packages
                      if module == kind or module.startswith(f"{kind}.")]
    assert found == []
