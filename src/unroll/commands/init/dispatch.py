"""A file or a folder → a draft, by what its files hold."""

from pathlib import Path

from unroll.base.errors import UserError
from unroll.commands.init.arrays import draft_arrays
from unroll.commands.init.draft import Draft, Options, Place
from unroll.commands.init.folders import draft_folder
from unroll.commands.init.labelled import draft_labelled
from unroll.commands.init.tables import draft_table
from unroll.commands.init.texts import draft_text
from unroll.readers import endings, format_of


def make_draft(place: Place, options: Options) -> Draft:
    """Raises `UserError` when the files cannot be read here, or may be several things."""
    origin = place.origin
    if origin.is_file():
        return _draft_of([origin], place, options)
    folders = [path for path in origin.iterdir() if path.is_dir() and not path.name.startswith(".")]
    files = [path for path in sorted(origin.iterdir()) if path.is_file() and not _hidden(path)]
    if folders:
        if any(format_of(file) is not None for file in files):
            raise UserError("ambiguous", origin, "files and folders beside each other. Give a folder of files, or one "
                            "that has a folder for each class and nothing else.")
        return draft_folder(place, options)
    if not files:
        raise UserError("empty", origin, f"empty. Give {_readable()}.")
    return _draft_of(files, place, options)


def _hidden(file: Path) -> bool:
    return file.name.startswith(".") or file.suffix == ".dvc"


def _draft_of(files: list[Path], place: Place, options: Options) -> Draft:
    """Files that hold the same are read one after another; a file of labelled cases or arrays is a data set."""
    holds = {found.HOLDS if (found := format_of(file)) is not None else None for file in files}
    if holds == {"table"} or (holds == {"text"} and options.of_a_table()):
        return draft_table(place, files, options)
    if holds == {"text"}:
        options.only("text", "task", "encoding")
        return draft_text(place, files, options)
    if holds == {"arrays"} and len(files) == 1:
        options.only("arrays", "task", "targets", "inputs", "kinds", "missing")
        return draft_arrays(place, files[0], options)
    if holds == {"labelled"}:
        options.only(f"{files[0].suffix} files, which describe themselves", "task", "missing")
        return draft_labelled(place, files, options)
    kinds = ", ".join(sorted({file.suffix.lower() or "no ending" for file in files}))
    brought = f"{len(files)} files, {kinds}" if len(files) > 1 else kinds
    raise UserError("unsupported", place.origin, f"{brought}: not among what is read here. Give {_readable()}, all "
                    "files of one kind.")


def _readable() -> str:
    text, tables, arrays, labelled = (", ".join(endings(holds)) for holds in ("text", "table", "arrays", "labelled"))
    return f"text ({text}), tables ({tables}), arrays ({arrays}), {labelled}, or a folder for each class"
