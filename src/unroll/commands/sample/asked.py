"""What music and paths are asked for alike."""

from pathlib import Path

from unroll.base.errors import UserError


def check_folder(out: Path | None, kind: str) -> Path:
    """Raises `UserError` where no folder can be."""
    if out is None:
        raise UserError(f"--out: {kind} go into a folder. Add -o FOLDER.")
    there = next(each for each in (out.absolute(), *out.absolute().parents) if each.exists())
    if not there.is_dir():
        raise UserError(f"--out: {there} is a file. Give a folder, which may be new.")
    return out


def check_drawing(length: int | None, temperature: float) -> int:
    """The length; raises `UserError` where it has no end, or the temperature is none."""
    if length is None:
        raise UserError("--length: only a text can go on without an end. Give a number.")
    if not 0 < temperature < float("inf"):
        raise UserError(f"--temperature: {temperature:g} is not above 0. Give a number that is.")
    return length
