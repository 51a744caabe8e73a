"""Names of packages in text, and their removal."""

import re
from collections.abc import Iterable, Iterator

from unroll.sources.common.packages import Package, import_names

IMPORT = re.compile(r"^\s*(?:>>> |\.\.\. )?import ([^#;\n]+)", re.MULTILINE)
ALIAS = re.compile(r"\s*([\w.]+) as (\w+)\s*")
SHORT = 4       # letters of a name that is likely to be part of ordinary words: "attr" of "attribute"


class Names:
    """What packages are called: as installed, as imported, and the abbreviations that their documentation makes."""

    def __init__(self, packages: Iterable[Package], docstrings: Iterable[str]) -> None:
        names = {name for package in packages for name in (package.distribution, *import_names(package))}
        aliases = {alias for text in docstrings for name, alias in _aliases(text) if name in names}
        # the longest first, or "scikit" would be taken out of "scikit-learn"
        patterns = [f"(?i:{_spelt(name)})" for name in sorted(names, key=lambda name: (-len(name), name))]
        self._pattern = re.compile("|".join([*patterns, *(rf"\b{alias}\b" for alias in sorted(aliases))]))

    def remove(self, text: str) -> str:
        """The text with "_" for each name: in upper or lower case, and within longer words unless it is short."""
        return self._pattern.sub("_", text)


def _aliases(text: str) -> Iterator[tuple[str, str]]:
    """What is imported under another name, as in `import numpy as np`: (numpy, np)."""
    for line in IMPORT.findall(text):
        for part in line.split(","):
            if found := ALIAS.fullmatch(part):
                yield found[1], found[2]


def _spelt(name: str) -> str:
    """A pattern of a name, however its parts are joined."""
    pattern = "[-_. ]?".join(re.escape(part) for part in re.split("[-_.]+", name) if part)
    return pattern if len(name) > SHORT else rf"(?<![^\W_]){pattern}(?![^\W_])"
