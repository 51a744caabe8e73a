"""A file or a folder → a draft, by what its files hold."""

from pathlib import Path

from unroll.base.errors import UserError
from unroll.commands.init.arrays import draft_arrays
from unroll.commands.init.draft import Draft, Options, Place
from unroll.commands.init.events import draft_events, two_tables
from unroll.commands.init.folders import draft_folder
from unroll.commands.init.labelled import draft_labelled
from unroll.commands.init.tables import draft_table
from unroll.commands.init.texts import draft_text
from unroll.readers import NAMES, endings, format_of, refusal
from unroll.readers.common.folder_keys import LISTS, is_key
from unroll.readers.common.packed import ending_of


def make_draft(place: Place, options: Options) -> Draft:
    """Raises `UserError` when the files cannot be read here, or may be several things."""
    origin = place.origin
    if options.outcomes is not None:
        for path in (origin, options.outcomes):
            if not path.is_file():
                raise UserError("not-a-file", path, "not a file. Give a table of events, and as --outcomes one with a "
                                "row a series.")
        return draft_events(place, origin, options.outcomes, options)
    pair = two_tables(place, _tables(origin))
    if pair is not None:
        return draft_events(*pair, options)
    for option in ("until", "channel"):
        if getattr(options, option) is not None:
            raise UserError("no-effect", f"--{option}", "only events have it. Give the table with a row a series as "
                            "--outcomes FILE.")
    if origin.is_file():
        return _draft_of([origin], place, options)
    folders = [path for path in origin.iterdir() if path.is_dir() and not path.name.startswith(".")]
    files = [path for path in sorted(origin.iterdir()) if path.is_file() and not _hidden(path)]
    if folders and all(map(is_key, folders)):
        below = sorted(file for file in origin.rglob("*") if file.is_file() and not any(
            part.startswith(".") for part in file.relative_to(origin).parts) and not _hidden(file))
        return _draft_of(below, place, options)
    if folders:
        if any(format_of(file) is not None for file in files):
            raise UserError("ambiguous", origin, "files and folders beside each other. Give a folder of files, or one "
                            "that has a folder for each class and nothing else.")
        return draft_folder(place, options)
    if not files:
        raise UserError("empty", origin, f"empty. Give {_readable()}.")
    return _draft_of(files, place, options)


def _tables(origin: Path) -> list[Path]:
    """The files of a folder that holds tables alone."""
    files = [path for path in sorted(origin.iterdir()) if not _hidden(path)] if origin.is_dir() else []
    return files if all(file.is_file() and format_of(file, "table") is not None for file in files) else []


def _hidden(file: Path) -> bool:
    return file.name.startswith(".") or file.suffix == ".dvc" or file.name in LISTS


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
        options.only(f"{ending_of(files[0])} files, which describe themselves", "task", "missing")
        return draft_labelled(place, files, options)
    raise _refusal(files, place.origin)


def _refusal(files: list[Path], origin: Path) -> UserError:
    """Why files are no data set: none reads one of them, they hold several things, or only predictions read them."""
    for file in files:
        if format_of(file) is None:
            return refusal(file)
    found = {module.HOLDS: ending_of(file) for file in files if (module := format_of(file)) is not None}
    if len(found) > 1:
        several = " and ".join(f"{NAMES[holds]} ({ending})" for holds, ending in sorted(found.items()))
        return UserError("ambiguous", origin, f"{several} beside each other. Give one of them, or a folder of files of "
                         "one kind.")
    ((holds, ending),) = found.items()
    if holds == "arrays":
        return UserError("ambiguous", origin, f"{len(files)} {ending} files, each a data set of its own. Give one.")
    return UserError("unsupported", origin, f"{ending} files hold {NAMES[holds]}. Give {_readable()}.")


def _readable() -> str:
    text, tables, arrays, labelled = (", ".join(endings(holds)) for holds in ("text", "table", "arrays", "labelled"))
    return f"text ({text}), tables ({tables}), arrays ({arrays}), {labelled}, or a folder for each class"
