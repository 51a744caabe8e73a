"""Files of the UCR and UEA archives' own format, `.ts`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from unroll.base.errors import UserError
from unroll.config.sources.ts import Settings
from unroll.data.source import Source
from unroll.readers.ts import blocks
from unroll.sources.common.access import Access
from unroll.sources.common.archive import archive_pieces, with_own_test, with_share
from unroll.sources.common.memory import Lazy, unusable


def open_source(settings: Settings, access: Access) -> tuple[Source, str, str]:
    train = _read(settings, access, "train", settings.train)
    if isinstance(settings.test, str):
        test = _read(settings, access, "test", settings.test)
        source = with_own_test(settings.targets, train, test, settings.validation, settings.seed)
    else:
        source = with_share(settings.targets, train, settings.validation, settings.test, settings.seed)
    return source, settings.train, settings.licence


def _read(settings: Settings, access: Access, split: str, path: str) -> Lazy:
    setting = f"data.{split}"
    file, *more = access.files(path, setting)
    if more:
        raise UserError("ambiguous", setting, f"{path!r} is {1 + len(more)} files, {file.name} and {more[0].name} "
                        "among them; a split is one. Give its name.")
    checked = _checked(file, settings.missing_numbers is not None)
    pieces = archive_pieces(settings.inputs, settings.targets, checked, access.scratch)
    if not len(pieces):
        raise UserError("empty", file, "not a .ts file that aeon reads: there is no sequence in it.")
    return pieces


def _checked(file: Path, holes: bool) -> Iterator[tuple[Any, Any]]:
    done = 0
    for x, y in blocks(file):
        if len(y) != len(x):
            raise UserError("missing-value", file, "its sequences have no class and no value to be learnt. Give a file "
                            "with a @classLabel or a @targetLabel.")
        for number, case in enumerate(x, done + 1):
            for place, step in np.argwhere(np.isinf(case) if holes else ~np.isfinite(case))[:1]:
                code, text = unusable(case[place, step])
                raise UserError(code, f"{file}, sequence {number}, dimension {place + 1}, step {step + 1}", text)
        done += len(x)
        yield x, y
