"""Arrays of sequences."""

from typing import Literal

from unroll.config.data import Scale, SplitSettings, SplitShare


class Settings(SplitSettings):
    """NumPy arrays: `X_train` (n, T, F) or (n, T), `y_train`, and the same for `test` and, optionally, `validation`.

    Sequences of unequal length are padded at the end and have their lengths in `lengths_train` and so on.
    """

    kind: Literal["npz"]
    path: str
    test: SplitShare | None              # null: the file has X_test
    scale: Scale
    licence: str
