"""Files of the UCR and UEA archives' own format, `.ts`."""

import numpy as np

from unroll.base.errors import UserError
from unroll.config.sources.ts import Settings
from unroll.data.source import Piece, Source
from unroll.readers.ts import load
from unroll.sources.common.access import Access
from unroll.sources.common.archive import archive_pieces, with_own_test, with_share
from unroll.sources.common.memory import GAPS


def open_source(settings: Settings, access: Access) -> tuple[Source, str, str]:
    train = _read(settings, access, "train", settings.train)
    if isinstance(settings.test, str):
        test = _read(settings, access, "test", settings.test)
        source = with_own_test(settings.targets, train, test, settings.validation, settings.seed)
    else:
        source = with_share(settings.targets, train, settings.validation, settings.test, settings.seed)
    return source, settings.train, settings.licence


def _read(settings: Settings, access: Access, split: str, path: str) -> list[Piece]:
    setting = f"data.{split}"
    file, *more = access.files(path, setting)
    if more:
        raise UserError("ambiguous", setting, f"{path!r} is {1 + len(more)} files, {file.name} and {more[0].name} "
                        "among them; a split is one. Give its name.")
    x, y = load(file)
    if not len(x):
        raise UserError("empty", file, "not a .ts file that aeon reads: there is no sequence in it.")
    if len(y) != len(x):
        raise UserError("missing-value", file, "its sequences have no class and no value to be learnt. Give a file "
                        "with a @classLabel or a @targetLabel.")
    for number, case in enumerate(x, 1):
        for place, step in np.argwhere(~np.isfinite(case))[:1]:
            raise UserError("missing-number", f"{file}, sequence {number}, dimension {place + 1}, step {step + 1}",
                            f"{case[place, step]}. {GAPS}")
    return archive_pieces(settings.inputs, settings.targets, x, y)
