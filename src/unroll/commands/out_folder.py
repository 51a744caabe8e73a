"""The folder that `--out` names."""

from pathlib import Path

from unroll.base.errors import UserError


def check_folder(out: Path | None, content: str) -> Path:
    """Raises `UserError` where no folder can be made; `content` are what it is for, in the plural."""
    if out is None:
        raise UserError("missing-value", "--out", f"{content} are written into a folder. Add -o FOLDER.")
    nearest = next(path for path in (out.absolute(), *out.absolute().parents) if path.exists())
    if not nearest.is_dir():
        raise UserError("not-a-file", "--out", f"{nearest} is a file. Give a folder, which may be new.")
    return out
