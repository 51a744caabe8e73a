"""The model that `--model` names: a folder, or a registered version, which is fetched."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from unroll.base.errors import UserError


@contextmanager
def model_folder(model: str) -> Iterator[Path]:
    """The folder of `models:/NAME@alias`, `models:/NAME/1` or a path; a fetched one exists only within the context."""
    if not model.startswith("models:/"):
        if Path(model).is_file():
            raise UserError("not-a-file", "--model", f"{model} is a file. Give the folder that it is in.")
        yield Path(model)
        return
    from unroll.tracking.models import fetch_model

    with TemporaryDirectory() as folder:
        yield fetch_model(model, Path(folder))
