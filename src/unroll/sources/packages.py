"""Docstrings of several installed packages, labelled with the package that they come from."""

from collections.abc import Iterator

from unroll.config.sources.packages import Settings
from unroll.data.source import Piece, Source
from unroll.sources.common.access import Access
from unroll.sources.common.long_tail import long_tail
from unroll.sources.common.memory import Items
from unroll.sources.common.packages import Package, docstrings, find_package
from unroll.sources.common.splits import deal


def open_source(settings: Settings, access: Access) -> tuple[Source, str, str]:
    pieces: list[Piece] = []
    licences = set()
    (field,), (label,) = settings.inputs, settings.targets
    for name, version in sorted(settings.packages.items()):
        package = find_package(name, version, f"data.packages.{name}")
        licences.add(package.licence)
        pieces += [{field: text, label: name} for text in _texts(package, settings.least, settings.longest)]
    labels = [piece[label] for piece in pieces]
    splits = deal(len(pieces), labels, settings.validation, settings.test, settings.seed)
    if settings.imbalance is not None:
        train = splits["train"]
        kept = long_tail([labels[index] for index in train], settings.imbalance, settings.seed)
        splits["train"] = train[kept]
    names = ", ".join(f"{name} {version}" for name, version in sorted(settings.packages.items()))
    return Items(pieces, splits), f"docstrings of {names}", "; ".join(sorted(licences))


def _texts(package: Package, least: int, longest: int) -> Iterator[str]:
    """Each docstring once, cut: one that occurs twice could be on both sides of the split.

    The package's own names are left out: they would be the answer.
    """
    seen = set()
    # its folder's name first; a distribution's is another one at times
    names = [name for own in dict.fromkeys((package.folder.name, package.distribution)) for name in (own, own.title())]
    for file in sorted(package.folder.rglob("*.py")):
        for text in docstrings(file):
            short = " ".join(text.split())[:longest]
            for name in names:
                short = short.replace(name, "_")
            if len(short) >= least and short not in seen:
                seen.add(short)
                yield short
