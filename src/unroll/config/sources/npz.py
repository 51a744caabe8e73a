"""Arrays of sequences."""

from typing import ClassVar, Literal

from unroll.config.data import Missing, Scale, SplitSettings, SplitShare
from unroll.config.strict import Name


class Settings(SplitSettings):
    """NumPy arrays: `X_train` or `X`, (n, T, F) or (n, T), `y_train`, and the same for `test` and `validation`, if any.

    X and y are what `arrays` names. Sequences of unequal length are padded at the end and have their lengths in
    `lengths_train` and so on.
    """

    SEVERAL: ClassVar[bool] = True

    kind: Literal["npz"]
    path: str
    arrays: dict[Name, str]         # X of each input, y of each target; a next's stands at its input
    test: SplitShare | None              # null: the file has X_test
    scale: Scale
    missing: Missing                # numbers of inputs that are not known
    licence: str
