"""The contract of a source: what `open_source` of its kind returns, see `unroll.sources`."""

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from pydantic import ValidationError

from unroll.base.files import sha256
from unroll.config.data import CONTEXT, FUTURE, STATIC, SourceSettings
from unroll.config.load import explain
from unroll.config.sources import SOURCES
from unroll.data.fitting import fit_codecs
from unroll.data.source import SPLITS, Piece, Source
from unroll.data.writer import write_prepared
from unroll.sources import Access, digest, open_source

# kind of target → dimensions of its values in a piece
DIMENSIONS = {"value": 1, "tag": 1, "values": 2, "labels": 2}


def check_source(kind: str, project: Path = Path(), **settings: Any) -> None:
    """Check a kind of source, one of ours or of an installed package, with these settings.

    `project` is where paths of the settings are: what they name must be below its `data/raw/`.
    """
    values = {"kind": kind, **settings}
    try:
        valid = SOURCES.settings_of(kind).model_validate(values)
    except ValidationError as error:
        raise AssertionError(f"settings of {kind}: {explain(error, values)}; pass it to check_source") from None
    for check in CHECKS:
        check(valid, Access(project.absolute()))


def check_origin(settings: SourceSettings, access: Access) -> None:
    """A layout, and a name and a licence for the model's card."""
    source, origin = open_source(settings, access)
    assert source.layout in ("stream", "items", "windows"), f"layout is {source.layout!r}"
    assert origin.name and origin.licence, "the name or the licence is empty"


def check_passes(settings: SourceSettings, access: Access) -> None:
    """Every pass over a split gives the same pieces, whatever other splits are read meanwhile; none is empty."""
    source, _ = open_source(settings, access)
    first = {split: [_content(piece) for piece in source.pieces(split)] for split in SPLITS}
    for split, pieces in first.items():
        assert pieces, f"the {split} split is empty, or can be read only once"
    together = zip(*(source.pieces(split) for split in SPLITS), strict=False)
    for at, pieces_at in enumerate(together):
        for split, piece in zip(SPLITS, pieces_at, strict=True):
            assert _content(piece) == first[split][at], f"another pass over the {split} split gives other pieces"
    for split in SPLITS:
        again = [_content(piece) for piece in source.pieces(split)]
        assert again == first[split], f"another pass over the {split} split gives other pieces"


def check_fields(settings: SourceSettings, access: Access) -> None:
    """A piece has every input, and every target but those that are an input's future, in its shape and its type."""
    source, _ = open_source(settings, access)
    expected = {*settings.inputs, *(name for name, kind in settings.targets.items() if kind not in FUTURE)}
    widths: dict[str, int] = {}
    for split, number, piece in _pieces(source):
        where = f"piece {number + 1} of the {split} split"
        assert set(piece) == expected, f"{where} has the fields {sorted(piece)}, not {sorted(expected)}"
        steps = {name: _check_input(kind, piece[name], f"{where}: {name}", settings.missing_numbers is not None)
                 for name, kind in settings.inputs.items()}
        for name in expected - set(settings.inputs):
            _check_target(settings.targets[name], piece[name], max(steps.values()), f"{where}: {name}")
        for name, value in piece.items():
            if settings.inputs.get(name) in STATIC or getattr(value, "ndim", 0) == 2:
                size = np.shape(value)[-1]
                width = widths.setdefault(name, size)
                assert size == width, f"{where}: {name} has {size} numbers where others have {width}"


def check_splits(settings: SourceSettings, access: Access) -> None:
    """No text is in two splits, and the steps that a split forecasts come after those of the split before."""
    source, _ = open_source(settings, access)
    if source.layout == "items" and "tokens" in settings.inputs.values():
        owners: dict[bytes, str] = {}
        for split, number, piece in _pieces(source):
            texts = _content({name: piece[name] for name, kind in settings.inputs.items() if kind == "tokens"})
            other = owners.setdefault(texts, split)
            assert other == split, f"piece {number + 1} of the {split} split is in the {other} split, too"
    if source.layout == "windows":
        forecast: Any = settings.forecast       # type: ignore[attr-defined]
        ends: dict[int, int] = {}
        (series,) = (name for name, kind in settings.targets.items() if kind == "forecast")
        for split in SPLITS:
            for number, (piece, place) in enumerate(zip(source.pieces(split), source.places(split), strict=True)):
                value = piece[series]
                begins = place.first + (forecast.context + forecast.season if split != "train" else 0)
                assert begins >= ends.get(number, 0), f"the {split} split of {place.name!r} overlaps the one before"
                ends[number] = place.first + len(value)


def check_names(settings: SourceSettings, access: Access) -> None:
    """As many names as pieces, or none; those of a split differ."""
    source, _ = open_source(settings, access)
    for split in SPLITS:
        names = [place.name for place in source.places(split)]
        count = sum(1 for _ in source.pieces(split))
        assert not names or len(names) == count, f"the {split} split has {len(names)} names for {count} pieces"
        twice = [name for name, times in Counter(names).items() if times > 1]
        assert not twice, f"two pieces of the {split} split are named {twice[0]!r}"


def check_determinism(settings: SourceSettings, access: Access) -> None:
    """The settings alone decide the content: not NumPy's global generator, and not an earlier opening."""
    digests = []
    for seed in (1, 2):
        np.random.seed(seed)
        digests.append(digest(open_source(settings, access)[0]))
    assert digests[0] == digests[1], "opened twice, the source has another content"


def check_prepared(settings: SourceSettings, access: Access) -> None:
    """It can be prepared, into the same bytes each time."""
    made = []
    for _ in range(2):
        source, origin = open_source(settings, access)
        with TemporaryDirectory() as folder:
            write_prepared(Path(folder) / "prepared", settings, source, origin, fit_codecs(settings, source))
            made.append(sha256(Path(folder) / "prepared" / "spec.json"))
    assert made[0] == made[1], "prepared twice, the data differs"


CHECKS = (check_origin, check_passes, check_fields, check_splits, check_names, check_determinism, check_prepared)


def _pieces(source: Source) -> list[tuple[str, int, Piece]]:
    return [(split, number, piece) for split in SPLITS for number, piece in enumerate(source.pieces(split))]


def _content(piece: Piece) -> bytes:
    """The same for equal pieces."""
    parts = []
    for name in sorted(piece):
        value = piece[name]
        array = None if isinstance(value, str) else np.asarray(value)
        parts.append(f"{name}\0{value}" if array is None else f"{name}\0{array.shape}{array.tolist()}")
    return "\0".join(parts).encode()


def _check_input(kind: str, value: Any, where: str, holes: bool) -> int:
    """How many steps it has, characters of text; 0 where it is of a whole sequence.

    Numbers may be NaN where there may be `holes`, and before the first step there is no gap.
    """
    if kind in ("tokens", "context_tokens"):
        assert isinstance(value, str) and (value or kind in CONTEXT), f"{where} is no text, or empty"
        return 0 if kind in CONTEXT else len(value)
    array, shape = np.asarray(value), "(F,)" if kind in STATIC else "(T, F)"
    what = "UO" if kind.endswith("categories") else "iufb"
    assert array.ndim == len(shape.split()) and array.dtype.kind in what, \
        f"{where} is {array.dtype} {array.shape}, not {shape}"
    fine = what == "UO" or not (np.isinf(array) if holes or kind == "gap" else ~np.isfinite(array)).any()
    assert (len(array) or kind in CONTEXT) and fine, f"{where} is empty, or has a number that is not finite"
    return 0 if kind in (*STATIC, *CONTEXT) else len(array)


def _check_target(kind: str, value: Any, steps: int, where: str) -> None:
    """An unknown class is an empty text, an unknown number NaN."""
    if kind == "class":
        assert isinstance(value, str), f"{where} is no class, which is a text"
        return
    array = np.atleast_1d(value)
    assert array.ndim in (1, DIMENSIONS[kind]), f"{where} has shape {array.shape}, which a {kind} has not"
    assert kind == "tag" or not np.isinf(array).any(), f"{where} has a number that is infinite"
    # text may be read in other symbols than characters
    assert kind == "value" or len(array) == steps or array.dtype.kind in "UO", f"{where}: {len(array)} of {steps} steps"
